"""What may be asked of training: start a run, stop one, take up the lost."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from training import tasks
from training.exceptions import CoolDown, NotAllowed, NotInProgress, QueueUnavailable, RunActive, RunMismatch
from training.models import Status, TrainingRun
from training.progress import announce, ending

MAY_TRAIN = "training.add_trainingrun"
logger = logging.getLogger(__name__)


def request_run(preset: str, parameters: Mapping[str, Any], by: User | AnonymousUser | None = None) -> TrainingRun:
    """Queue a run with complete, valid parameters (training.serializers.RunParameters). `by` None is the system itself.

    Raises RunActive, from the constraint that allows one active run; CoolDown, for visitors; NotAllowed, where the
    model may not be put into service by whoever asks; and QueueUnavailable, after ending the run.
    """
    if by is not None and parameters["activate"] and not may_activate(by):
        raise NotAllowed("Putting a model into service needs the permission to do so.", field="activate")
    asked = {"preset": preset, "parameters": dict(parameters)} | whose(by)
    try:
        run = create_run(asked)
    except IntegrityError as error:
        active = TrainingRun.objects.active().newest()
        if active is not None:
            raise RunActive(run=active.pk) from error
        run = create_run(asked)  # what was active has ended between our two looks
    transaction.on_commit(lambda: enqueue_or_fail(run))
    return run


def may_activate(by: User | AnonymousUser) -> bool:
    """Local mode lets everybody ask for it with a run, as that one must be at least as accurate."""
    return settings.LOCAL or by.has_perm("recognition.add_activation")


def whose(by: User | AnonymousUser | None) -> dict[str, Any]:
    return {"requested_by": by if isinstance(by, User) else None, "by_visitor": by is not None and is_visitor(by)}


def is_visitor(by: User | AnonymousUser) -> bool:
    """Who has no account that may train: only TRAINING_OPEN, as in local mode, lets such train and stop."""
    return not by.has_perm(MAY_TRAIN)


def create_run(asked: dict[str, Any]) -> TrainingRun:
    """Raises IntegrityError while a run is active, and CoolDown.

    The cool-down is looked at after the insert: from then on no other run can begin before this transaction ends, so of
    two visitors at once the second sees the first's run, and a refusal takes the insert back.
    """
    with transaction.atomic():
        run = TrainingRun.objects.create(**asked)
        if run.by_visitor:
            refuse_while_cooling_down(run)
        return run


def refuse_while_cooling_down(run: TrainingRun) -> None:
    """Raises CoolDown for TRAINING_COOLDOWN seconds after a visitor's run was queued, if the queue was there."""
    others = TrainingRun.objects.filter(by_visitor=True).exclude(error_code=QueueUnavailable.code).exclude(pk=run.pk)
    queued_at = others.values_list("queued_at", flat=True).first()
    passed = (run.queued_at - queued_at).total_seconds() if queued_at else math.inf
    if abs(passed) < settings.TRAINING_COOLDOWN:  # a little before: by another clock; long before: it was set back
        raise CoolDown(math.ceil(settings.TRAINING_COOLDOWN - max(0.0, passed)))


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


def request_stop(run_id: int | None = None, by: User | AnonymousUser | None = None) -> TrainingRun:
    """Stop the active run: at once if it is queued, at its next batch if it is in progress. Again is the same.

    Raises NotInProgress when no run is active, RunMismatch when `run_id` names another one, and on a public site
    NotAllowed when a visitor would stop what somebody with an account asked for.
    """
    run = TrainingRun.objects.active().newest()
    if run is None:
        raise NotInProgress
    if run_id is not None and run_id != run.pk:
        raise RunMismatch(run=run.pk)
    if by is not None and is_visitor(by) and not run.by_visitor and not settings.LOCAL:
        raise NotAllowed("Visitors may stop only what a visitor asked for.", run=run.pk)
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
