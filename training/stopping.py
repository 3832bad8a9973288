"""Stop and cancel runs, on behalf of those who may."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import AnonymousUser, User
from django.utils import timezone

from digits_site.web.errors import StateChanged
from training.errors import NotAllowed, NotInProgress, RunMismatch
from training.live.broadcast import broadcast_change, payload_of
from training.models import Status, StoppedVia, TrainingRun
from training.services import is_visitor
from training.worker.waiting import promote_next


def request_stop(
    run_id: int | None = None,
    by: User | AnonymousUser | None = None,
    expected: Status | None = None,
    via: StoppedVia = StoppedVia.COMMAND,
) -> TrainingRun:
    """Stop the active run: at once if it is queued, at its next batch if it is in progress. Safe to repeat.

    A run that waits for others is cancelled. The first request is recorded in the row, and logged if it has an account.

    Args:
        run_id: The run to stop, active or waiting; None for the active one.
        by: The requester; None for the system itself.
        expected: The status that the requester saw, with no stop requested; None skips the check.
        via: How the request came.

    Raises NotInProgress, RunMismatch, StateChanged, and NotAllowed where a visitor would stop the run of an account.
    """
    run = find_run(run_id)
    if by is not None and is_visitor(by) and not run.by_visitor and not settings.LOCAL:
        raise NotAllowed("Visitors can stop only runs that a visitor started.", run=run.pk)
    stopped = {"stopped_by": by if isinstance(by, User) else None, "stopped_via": via}
    while not run.has_ended:
        if expected is not None and (run.status != expected or run.stop_requested_at):
            raise StateChanged
        if run.status == Status.WAITING and run.cancel(**stopped):
            log_stop(run)
            return run
        if run.status == Status.QUEUED and run.end_queued(Status.INTERRUPTED, **stopped):
            log_stop(run)
            broadcast_change(run, payload_of(run))
            promote_next()
            return run
        if run.status == Status.IN_PROGRESS and (run.stop_requested_at or set_stop_requested(run, stopped)):
            broadcast_change(run, {"type": "phase", "phase": "stopping"})
            return run
        run.refresh_from_db()  # it was claimed, released or ended meanwhile: each happens a few times in a run's life
    raise NotInProgress


def find_run(run_id: int | None) -> TrainingRun:
    """Return the waiting or active run of this number; None: the active one. Raises NotInProgress and RunMismatch."""
    waiting = TrainingRun.objects.waiting().filter(pk=run_id).first() if run_id else None
    run = waiting or TrainingRun.objects.active().newest()
    if run is None:
        raise NotInProgress
    if run_id is not None and run_id != run.pk:
        raise RunMismatch(run=run.pk)
    return run


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
        what = "Cancelled" if run.status == Status.CANCELLED else "Stop requested"
        message = f"{what} {StoppedVia(run.stopped_via).label}."
        LogEntry.objects.log_actions(run.stopped_by_id, [run], CHANGE, message, single_object=True)
