"""Runs that wait for others to end: the first one starts as soon as no run is active."""

import logging

from django.db import IntegrityError

from digits_site.backends.broker import BROKER_ERRORS
from training.live import events
from training.live.broadcast import broadcast_change
from training.models import TrainingRun
from training.worker import queue

logger = logging.getLogger(__name__)


def promote_next() -> TrainingRun | None:
    """Queue the run that has waited longest, unless a run is active. Safe to call at any time, in any process."""
    while not TrainingRun.objects.active().exists() and (run := TrainingRun.objects.waiting().first()):
        try:
            if run.promote():
                break
        except IntegrityError:  # another process promoted one
            return None
    else:
        return None
    logger.info("%s waits no longer", run)
    announce(run)
    try:
        queue.send(run)
    except BROKER_ERRORS as error:  # the worker's watchdog sends it again
        logger.warning("%s is not sent to the queue yet: %s", run, error)
    return run


def announce(run: TrainingRun) -> None:
    """Broadcast a run that was queued a moment ago."""
    parameters = run.parameters
    broadcast_change(
        run,
        events.Queued(type="queued", preset=run.preset, parameters=parameters, max_epochs=parameters["epochs"]),
    )
