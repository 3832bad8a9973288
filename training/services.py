"""Start runs, on behalf of those who may."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError, transaction
from django.db.models import Max

from digits_site.backends.broker import BROKER_ERRORS
from digits_site.web.errors import StateChanged
from training.errors import CoolDown, NotAllowed, QueueFull, QueueUnavailable, RunActive
from training.history import description
from training.learner.presets import PRESETS
from training.live.broadcast import broadcast_change, payload_of
from training.models import Status, TrainingRun
from training.starting_points import add_corrections, continue_run
from training.worker import queue
from training.worker.waiting import announce, promote_next

MAY_TRAIN = "training.add_trainingrun"
NOT_STORED = ("preset", "corrections_of", "from_run")  # what RunParameters validates and a run's parameters lack
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunRequest:
    """A request to train.

    Attributes:
        parameters: As RunParameters validates them, without preset, corrections_of and from_run.
        corrections_of: The run whose corrections to learn again; None for all accepted ones.
        from_run: The run to go on from; None starts anew.
        waits: Whether it waits for other runs to end, where the request would be refused.
        description: The run's name, notes and tags, as training.history.description.apply takes them.
    """

    preset: str
    parameters: Mapping[str, Any]
    corrections_of: int | None = None
    from_run: int | None = None
    waits: bool = False
    description: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Mapping[str, Any], **options: Any) -> RunRequest:
        """Return the request of the values that RunParameters validates."""
        parameters = {name: value for name, value in values.items() if name not in NOT_STORED}
        return cls(values["preset"], parameters, values.get("corrections_of"), values.get("from_run"), **options)


def request_run(
    request: RunRequest, by: User | AnonymousUser | None = None, expected_last: int | None = None
) -> TrainingRun:
    """Queue a run, or let it wait.

    Args:
        by: The requester; None for the system itself.
        expected_last: The highest run number that the requester saw, 0 for none; None skips the check.

    Raises NotAllowed, what create_run raises, and QueueUnavailable, after which the run has ended.
    """
    if request.parameters["activate"] and by and not (settings.LOCAL or by.has_perm("recognition.add_activation")):
        raise NotAllowed("You need permission to put a model into service.", field="activate")
    if by and is_visitor(by) and not settings.LOCAL:
        refuse_what_visitors_may_not(request)
    run = create_run(request, by, expected_last)
    transaction.on_commit(lambda: promote_next() if run.status == Status.WAITING else enqueue(run))
    return run


def refuse_what_visitors_may_not(request: RunRequest) -> None:
    """Raise NotAllowed for what others would have to live with: a place in the queue, and words in the history."""
    if request.waits:
        raise NotAllowed("Visitors cannot let a run wait. Send the request again when no run is active.", field="queue")
    if request.description:
        raise NotAllowed("You need permission to train, to write on a run.", field=next(iter(request.description)))


def is_visitor(by: User | AnonymousUser) -> bool:
    """Return whether the requester has no permission to train, and depends on TRAINING_OPEN."""
    return not by.has_perm(MAY_TRAIN)


def create_run(
    request: RunRequest, by: User | AnonymousUser | None = None, expected_last: int | None = None
) -> TrainingRun:
    """Insert a queued run, or a waiting one.

    Raises RunActive, QueueFull, CoolDown, StateChanged if a run was added after `expected_last`, NoCheckpoint, and if
    the preset learns corrections NoModel, NoWeights, TooFewCorrections, CorrectionsGone, and InvalidParameter for a
    run that used none.
    """
    run = TrainingRun(
        preset=request.preset,
        parameters=dict(request.parameters),
        requested_by=by if isinstance(by, User) else None,
        by_visitor=by is not None and is_visitor(by),
    )
    try:
        return insert_run(run, request, expected_last)
    except (IntegrityError, RunActive) as error:
        run.pk, others = None, TrainingRun.objects.unfinished().order_by("pk")
        if request.waits:
            run.status, run.seq = Status.WAITING, 0  # its first event is that it was queued
        elif first := others.first():
            raise RunActive(run=first.pk) from error
        return insert_run(run, request, expected_last)  # or the active run has just ended


def insert_run(run: TrainingRun, request: RunRequest, expected_last: int | None) -> TrainingRun:
    """Insert the rows, and look at the other runs. Raises IntegrityError while a run is active, unless it waits.

    No other run can begin between the insert and the end of the transaction, so of two simultaneous requests the
    second sees the first one's run. A refusal rolls the insert back.
    """
    with transaction.atomic():
        check_waiting(run)
        run.save(force_insert=True)
        if expected_last is not None and expected_last != TrainingRun.objects.exclude(pk=run.pk).last_number():
            raise StateChanged
        if run.by_visitor:
            refuse_while_cooling_down(run)
        if PRESETS[run.preset].adapts:
            add_corrections(run, request.corrections_of)
        if request.from_run is not None:
            continue_run(run, request.from_run)
        description.apply(run, request.description)
        return run


def check_waiting(run: TrainingRun) -> None:
    """Raise RunActive if a queued run would overtake one that waits, and QueueFull if too many wait already.

    Waiting runs lock the same row, so that of two simultaneous requests the second counts the first.
    """
    waiting = TrainingRun.objects.waiting()
    if run.status != Status.WAITING:
        if first := waiting.first():
            raise RunActive(run=first.pk)
        return
    list(TrainingRun.objects.unfinished().select_for_update().order_by("pk")[:1])
    if waiting.count() >= settings.QUEUE_LIMIT:
        raise QueueFull(settings.QUEUE_LIMIT)


def refuse_while_cooling_down(run: TrainingRun) -> None:
    """Raise CoolDown within TRAINING_COOLDOWN seconds of a visitor's last run that reached the queue.

    The clocks of other machines may be a little ahead. A run of the far future is ignored: the clock was set back.
    """
    cool_down = timedelta(seconds=settings.TRAINING_COOLDOWN)
    others = TrainingRun.objects.filter(by_visitor=True).exclude(error_code=QueueUnavailable.code).exclude(pk=run.pk)
    near = others.filter(queued_at__gt=run.queued_at - cool_down, queued_at__lt=run.queued_at + cool_down)
    if latest := near.aggregate(at=Max("queued_at"))["at"]:
        passed = (run.queued_at - latest).total_seconds()
        raise CoolDown(math.ceil(settings.TRAINING_COOLDOWN - max(0.0, passed)))


def enqueue(run: TrainingRun) -> None:
    """Broadcast the run and send its id to the queue. Raises QueueUnavailable after ending the run."""
    announce(run)
    try:
        queue.send(run)
    except BROKER_ERRORS as error:
        logger.error("%s not queued: %s", run, error)
        if run.end_queued(Status.ERROR, error_code=QueueUnavailable.code, error=QueueUnavailable.message):
            broadcast_change(run, payload_of(run))
        raise QueueUnavailable(run=run.pk) from error
