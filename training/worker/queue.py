"""The queue of the training workers. A message carries a run's id alone: the rest is in the database."""

from celery import current_app

from training.models import TrainingRun

EXECUTE = "training.execute"  # the name of the task in training.worker.tasks


def send(run: TrainingRun) -> None:
    """Send the run to the workers. Raises BROKER_ERRORS. A second message does no harm: it finds nothing to claim."""
    current_app.send_task(EXECUTE, [run.pk])
