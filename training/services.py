"""What may be asked of training: start a run, and stop one."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.db.models.functions import Coalesce
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from digits_site.web.errors import StateChanged
from training.errors import CoolDown, NotAllowed, NotInProgress, QueueUnavailable, RunActive, RunMismatch
from training.live.broadcast import announce, ending
from training.models import Status, TrainingRun
from training.worker import tasks

MAY_TRAIN = "training.add_trainingrun"
logger = logging.getLogger(__name__)


def request_run(
    preset: str,
    parameters: Mapping[str, Any],
    by: User | AnonymousUser | None = None,
    expected_last: int | None = None,
) -> TrainingRun:
    """Queue a run with complete, valid parameters (training.serializers.RunParameters). `by` None is the system itself.

    `expected_last` is the highest run number that the caller saw, 0 for none; None skips the check.

    Raises RunActive, from the constraint that allows one active run; CoolDown, for visitors; NotAllowed, where the
    model may not be put into service by whoever asks; StateChanged, if a run was added after `expected_last`; and
    QueueUnavailable, after ending the run.
    """
    if by is not None and parameters["activate"] and not may_activate(by):
        raise NotAllowed("Putting a model into service needs the permission to do so.", field="activate")
    asked = {"preset": preset, "parameters": dict(parameters)} | whose(by)
    try:
        run = create_run(asked, expected_last)
    except IntegrityError as error:
        active = TrainingRun.objects.active().newest()
        if active is not None:
            raise RunActive(run=active.pk) from error
        run = create_run(asked, expected_last)  # what was active has ended between our two looks
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


def create_run(asked: dict[str, Any], expected_last: int | None = None) -> TrainingRun:
    """Insert the row. Raises IntegrityError while a run is active, CoolDown and StateChanged.

    The other runs are looked at after the insert: from then on no other run can begin before this transaction ends, so
    of two requests at once the second sees the first's run, and a refusal takes the insert back.
    """
    with transaction.atomic():
        run = TrainingRun.objects.create(**asked)
        if expected_last is not None and expected_last != TrainingRun.objects.exclude(pk=run.pk).last_number():
            raise StateChanged
        if run.by_visitor:
            refuse_while_cooling_down(run)
        return run


def refuse_while_cooling_down(run: TrainingRun) -> None:
    """Raises CoolDown for TRAINING_COOLDOWN seconds after a visitor's run was queued, if the queue was there.

    A run of the near future was queued by another machine's clock. One of the far future is left out: the clock was
    set back.
    """
    cool_down = timedelta(seconds=settings.TRAINING_COOLDOWN)
    others = TrainingRun.objects.filter(by_visitor=True).exclude(error_code=QueueUnavailable.code).exclude(pk=run.pk)
    near = others.filter(queued_at__gt=run.queued_at - cool_down, queued_at__lt=run.queued_at + cool_down)
    if latest := near.aggregate(at=Max("queued_at"))["at"]:
        passed = (run.queued_at - latest).total_seconds()
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


def request_stop(
    run_id: int | None = None, by: User | AnonymousUser | None = None, expected: Status | None = None
) -> TrainingRun:
    """Stop the active run: at once if it is queued, at its next batch if it is in progress.

    Asking again changes nothing, unless `expected` is given: the status that the caller saw, with no stop requested.

    Raises NotInProgress when no run is active, RunMismatch when `run_id` names another one, StateChanged when the run
    is not as `expected`, and on a public site NotAllowed when a visitor would stop what somebody with an account asked
    for.
    """
    run = TrainingRun.objects.active().newest()
    if run is None:
        raise NotInProgress
    if run_id is not None and run_id != run.pk:
        raise RunMismatch(run=run.pk)
    if by is not None and is_visitor(by) and not run.by_visitor and not settings.LOCAL:
        raise NotAllowed("Visitors may stop only what a visitor asked for.", run=run.pk)
    while run.is_active:
        if expected is not None and (run.status != expected or run.stop_requested_at):
            raise StateChanged
        if run.status == Status.QUEUED and run.end_queued(Status.INTERRUPTED):
            announce(run, "interrupted")
            return run
        if run.status == Status.IN_PROGRESS and tell_to_stop(run, again=expected is None):
            announce(run, "phase", phase="stopping")
            return run
        run.refresh_from_db()  # claimed, released or ended between the two: each happens a few times in a run's life
    raise NotInProgress


def tell_to_stop(run: TrainingRun, again: bool) -> bool:
    """Note the request on a run in progress. False: it is no longer, or was told before and not `again`."""
    told = {} if again else {"stop_requested_at": None}
    asked = Coalesce("stop_requested_at", timezone.now())
    hit = TrainingRun.objects.filter(pk=run.pk, status=Status.IN_PROGRESS, **told).update(stop_requested_at=asked)
    if hit:
        run.refresh_from_db()
    return bool(hit)
