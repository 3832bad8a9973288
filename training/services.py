"""What may be asked of training: start a run, stop one, take up the lost."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from training import tasks
from training.exceptions import NotInProgress, QueueUnavailable, RunActive, RunMismatch
from training.models import Status, TrainingRun
from training.progress import announce, ending

logger = logging.getLogger(__name__)


def request_run(preset: str, parameters: Mapping[str, Any], by: User | AnonymousUser | None = None) -> TrainingRun:
    """Queue a run with complete, valid parameters (training.serializers.RunParameters).

    Raises RunActive, from the constraint that allows one active run, and QueueUnavailable, after ending the run.
    """
    user = by if isinstance(by, User) else None
    try:
        run = create_run(preset, dict(parameters), user)
    except IntegrityError as error:
        active = TrainingRun.objects.active().newest()
        if active is not None:
            raise RunActive(run=active.pk) from error
        run = create_run(preset, dict(parameters), user)  # what was active has ended between our two looks
    transaction.on_commit(lambda: enqueue_or_fail(run))
    return run


def create_run(preset: str, parameters: dict[str, Any], user: User | None) -> TrainingRun:
    """Raises IntegrityError while a run is active."""
    with transaction.atomic():
        return TrainingRun.objects.create(preset=preset, parameters=parameters, requested_by=user)


def enqueue_or_fail(run: TrainingRun) -> None:
    """Tell of the new run and send its id to the queue. Raises QueueUnavailable after ending the run."""
    announce(run, "queued", preset=run.preset, parameters=run.parameters, max_epochs=run.parameters["epochs"])
    try:
        tasks.execute.delay(run.pk)
    except (BrokerError, RedisError, OSError) as error:
        logger.error("%s not queued: %s", run, error)
        if run.end_queued(Status.ERROR, error_code=QueueUnavailable.code, error=QueueUnavailable.message):
            announce(run, "error", **ending(run))
        raise QueueUnavailable(run=run.pk) from error


def request_stop(run_id: int | None = None) -> TrainingRun:
    """Stop the active run: at once if it is queued, at its next batch if it is in progress. Again is the same.

    Raises NotInProgress when no run is active and RunMismatch when `run_id` names another one.
    """
    run = TrainingRun.objects.active().newest()
    if run is None:
        raise NotInProgress
    if run_id is not None and run_id != run.pk:
        raise RunMismatch(run=run.pk)
    if run.end_queued(Status.INTERRUPTED):
        announce(run, "interrupted")
        return run
    asked = Coalesce("stop_requested_at", timezone.now())
    if not TrainingRun.objects.filter(pk=run.pk, status=Status.IN_PROGRESS).update(stop_requested_at=asked):
        raise NotInProgress  # it ended between our two looks
    run.refresh_from_db()
    announce(run, "phase", phase="stopping")
    return run


def take_up_lost(run: TrainingRun) -> None:
    """Hand back a run whose heartbeat, as it stands in `run`, has stood still for too long."""
    if run.release(seen=Q(heartbeat_at=run.heartbeat_at)):
        logger.warning("%s lost its worker %s: now %s", run, run.worker, run.status)
        announce(run, run.status, **ending(run))


def give_up_waiting(run: TrainingRun) -> None:
    """End a run that lost its worker and that no other worker has taken."""
    text = "The worker was lost and no other worker took the run."
    if run.end_queued(Status.ERROR, error_code="worker_lost", error=text):
        announce(run, "error", **ending(run))
