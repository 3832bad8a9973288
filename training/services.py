"""Start and stop runs, on behalf of those who may."""

import logging
import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from digits_site.web.errors import InvalidParameter, StateChanged
from recognition.corrections.selection import Selection, select_accepted, select_again
from recognition.models import Activation
from training.errors import (
    CoolDown,
    CorrectionsGone,
    NoModel,
    NotAllowed,
    NotInProgress,
    NoWeights,
    QueueUnavailable,
    RunActive,
    RunMismatch,
    TooFewCorrections,
)
from training.learner.presets import PRESETS
from training.live import events
from training.live.broadcast import broadcast_change, payload_of
from training.models import RunCorrections, Status, StoppedVia, TrainingRun
from training.worker import tasks

MAY_TRAIN = "training.add_trainingrun"
MIN_CORRECTIONS = 10  # accepted ones, for a run that learns corrections
logger = logging.getLogger(__name__)


def request_run(
    preset: str,
    parameters: Mapping[str, Any],
    by: User | AnonymousUser | None = None,
    expected_last: int | None = None,
    corrections_of: int | None = None,
) -> TrainingRun:
    """Queue a run with parameters as RunParameters validates them.

    Args:
        by: The requester; None for the system itself.
        expected_last: The highest run number that the requester saw, 0 for none; None skips the check.
        corrections_of: The run whose corrections to learn again; None for all accepted ones.

    Raises NotAllowed, what create_run raises, and QueueUnavailable, after which the run has ended.
    """
    if parameters["activate"] and by and not (settings.LOCAL or by.has_perm("recognition.add_activation")):
        raise NotAllowed("You need permission to put a model into service.", field="activate")
    run = create_run(preset, parameters, by, expected_last, corrections_of)
    transaction.on_commit(lambda: enqueue(run))
    return run


def is_visitor(by: User | AnonymousUser) -> bool:
    """Return whether the requester has no permission to train, and depends on TRAINING_OPEN."""
    return not by.has_perm(MAY_TRAIN)


def create_run(
    preset: str,
    parameters: Mapping[str, Any],
    by: User | AnonymousUser | None = None,
    expected_last: int | None = None,
    corrections_of: int | None = None,
) -> TrainingRun:
    """Insert a queued run.

    Raises RunActive, CoolDown, StateChanged if a run was added after `expected_last`, and if the preset learns
    corrections NoModel, NoWeights, TooFewCorrections, CorrectionsGone, and InvalidParameter for a run that used none.
    """
    fields = {
        "preset": preset,
        "parameters": dict(parameters),
        "requested_by": by if isinstance(by, User) else None,
        "by_visitor": by is not None and is_visitor(by),
    }
    try:
        return insert_run(fields, expected_last, corrections_of)
    except IntegrityError as error:
        active = TrainingRun.objects.active().newest()
        if active is not None:
            raise RunActive(run=active.pk) from error
        return insert_run(fields, expected_last, corrections_of)  # the active run has just ended


def insert_run(fields: dict[str, Any], expected_last: int | None, corrections_of: int | None) -> TrainingRun:
    """Insert the rows, and look at the other runs. Raises IntegrityError while a run is active.

    No other run can begin between the insert and the end of the transaction, so of two simultaneous requests the
    second sees the first one's run. A refusal rolls the insert back.
    """
    with transaction.atomic():
        run = TrainingRun.objects.create(**fields)
        if expected_last is not None and expected_last != TrainingRun.objects.exclude(pk=run.pk).last_number():
            raise StateChanged
        if run.by_visitor:
            refuse_while_cooling_down(run)
        if PRESETS[run.preset].adapts:
            add_corrections(run, corrections_of)
        return run


def add_corrections(run: TrainingRun, corrections_of: int | None) -> None:
    """Let the run begin with the model in service and learn corrections: a copy, which later changes do not reach.

    Raises NoModel, NoWeights, TooFewCorrections, CorrectionsGone and InvalidParameter.
    """
    current = Activation.current()
    if current is None:
        raise NoModel("No model is in service, so training has nothing to start from.")
    if not current.model.keras_file:
        raise NoWeights
    selection = select_accepted() if corrections_of is None else select_corrections_of(corrections_of)
    if len(selection.entries) < MIN_CORRECTIONS:
        raise TooFewCorrections(len(selection.entries), MIN_CORRECTIONS)
    run.base = current.model
    run.save(update_fields=["base"])
    RunCorrections.objects.create(
        run=run,
        count=selection.trained_on,
        held_out=selection.held_out,
        sha256=selection.sha256,
        entries=selection.entries,
        pictures=selection.pictures,
    )


def select_corrections_of(number: int) -> Selection:
    """Return the corrections that an earlier run used. Raises InvalidParameter and CorrectionsGone."""
    earlier = RunCorrections.objects.filter(run=number).defer("pictures").first()
    if earlier is None:
        raise InvalidParameter(f"corrections_of: Run {number} used no corrections.", field="corrections_of")
    selection = select_again(earlier.entries)
    if selection.sha256 != earlier.sha256:
        raise CorrectionsGone
    return selection


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
    parameters = run.parameters
    broadcast_change(
        run,
        events.Queued(type="queued", preset=run.preset, parameters=parameters, max_epochs=parameters["epochs"]),
    )
    try:
        tasks.execute.delay(run.pk)
    except (BrokerError, RedisError, OSError) as error:
        logger.error("%s not queued: %s", run, error)
        if run.end_queued(Status.ERROR, error_code=QueueUnavailable.code, error=QueueUnavailable.message):
            broadcast_change(run, payload_of(run))
        raise QueueUnavailable(run=run.pk) from error


def request_stop(
    run_id: int | None = None,
    by: User | AnonymousUser | None = None,
    expected: Status | None = None,
    via: StoppedVia = StoppedVia.COMMAND,
) -> TrainingRun:
    """Stop the active run: at once if it is queued, at its next batch if it is in progress. Safe to repeat.

    The first request is recorded in the row, and logged if an account made it.

    Args:
        run_id: The run to stop; None for the active one.
        by: The requester; None for the system itself.
        expected: The status that the requester saw, with no stop requested; None skips the check.
        via: How the request came.

    Raises NotInProgress, RunMismatch, StateChanged, and NotAllowed where a visitor would stop the run of an account.
    """
    run = TrainingRun.objects.active().newest()
    if run is None:
        raise NotInProgress
    if run_id is not None and run_id != run.pk:
        raise RunMismatch(run=run.pk)
    if by is not None and is_visitor(by) and not run.by_visitor and not settings.LOCAL:
        raise NotAllowed("Visitors can stop only runs that a visitor started.", run=run.pk)
    stopped = {"stopped_by": by if isinstance(by, User) else None, "stopped_via": via}
    while run.is_active:
        if expected is not None and (run.status != expected or run.stop_requested_at):
            raise StateChanged
        if run.status == Status.QUEUED and run.end_queued(Status.INTERRUPTED, **stopped):
            log_stop(run)
            broadcast_change(run, payload_of(run))
            return run
        if run.status == Status.IN_PROGRESS and (run.stop_requested_at or set_stop_requested(run, stopped)):
            broadcast_change(run, {"type": "phase", "phase": "stopping"})
            return run
        run.refresh_from_db()  # it was claimed, released or ended meanwhile: each happens a few times in a run's life
    raise NotInProgress


def set_stop_requested(run: TrainingRun, stopped: Mapping[str, Any]) -> bool:
    """Request a stop of a run in progress. False: it has ended, or a stop was requested before."""
    runs = TrainingRun.objects.filter(pk=run.pk, status=Status.IN_PROGRESS, stop_requested_at=None)
    if not runs.update(stop_requested_at=timezone.now(), **stopped):
        return False
    run.refresh_from_db()
    log_stop(run)
    return True


def log_stop(run: TrainingRun) -> None:
    """Add the stop to the log of the account that requested it."""
    if run.stopped_by_id:
        message = f"Stop requested {StoppedVia(run.stopped_via).label}."
        LogEntry.objects.log_actions(run.stopped_by_id, [run], CHANGE, message, single_object=True)
