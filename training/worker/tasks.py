"""Celery's task: it gets a run's id and returns nothing."""

from celery import shared_task

from training.worker import runner
from training.worker.queue import EXECUTE
from training.worker.spare import spare


@shared_task(name=EXECUTE, ignore_result=True)
def execute(run_id: int) -> None:
    """Execute a queued run.

    The message is acknowledged on receipt: lost runs are found by the watchdog, not by redelivery.
    """
    runner.execute(run_id)
    if not runner.SHUTDOWN.is_set():
        spare.start()
