"""What Celery carries: a run's id in, nothing out."""

from celery import shared_task

from training.worker import runner


@shared_task(name="training.execute", ignore_result=True)
def execute(run_id: int) -> None:
    """Acknowledged on receipt: a run that is lost with its worker is found by the watchdog, not by redelivery."""
    runner.execute(run_id)
