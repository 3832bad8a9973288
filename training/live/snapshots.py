"""Reads of the database for viewers; those who ask at the same time share one read."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from channels.db import database_sync_to_async
from django.db import Error as AnyDatabaseError

from recognition.models import Activation
from training.live import events
from training.live.curve import cached_curve
from training.live.events import Position, SharedEvent
from training.models import TrainingRun
from training.serializers import represent

T = TypeVar("T")


@database_sync_to_async
def read_snapshot(run_id: int | None = None) -> SharedEvent:
    """Return the snapshot of one run, or of the newest.

    Reads again if an event came between the run's row and its epochs.
    """
    runs = TrainingRun.objects.with_account()
    while run := runs.newest() if run_id is None else runs.filter(pk=run_id).first():
        model = Activation.current_model_id()  # before the run: a later one is sent as `activated`
        batches = cached_curve(run.pk, run.queued_at) if run.is_active else []
        message = events.snapshot(run.seq, represent(run), batches, model)
        if TrainingRun.objects.filter(pk=run.pk, seq=run.seq).exists():
            return message
    return events.snapshot(0, None, model=Activation.current_model_id())


def newest_position() -> Position:
    run = TrainingRun.objects.only("pk", "seq").newest()
    return (run.pk, run.seq) if run else events.NO_POSITION


@database_sync_to_async
def read_position() -> Position:
    """Return the newest run's position."""
    return newest_position()


@database_sync_to_async
def read_position_and_model() -> tuple[Position, int | None]:
    """Return the newest run's position, and the model in service."""
    return newest_position(), Activation.current_model_id()


class CoalescedRead(Generic[T]):
    """Runs one read at a time. No caller gets a result read before its call, unless it accepts an earlier one.

    Calls during a read wait for the next one together, so a thousand simultaneous calls cost two reads. A read that
    fails has failed for all who waited for it.
    """

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._lock = asyncio.Lock()
        self._started = 0  # reads so far
        self._number = 0  # number of the read that gave the result
        self._result: T | AnyDatabaseError | None = None

    async def get(self, is_recent: Callable[[T], bool] | None = None) -> T:
        """Return a result read after this call, or an earlier one that `is_recent`. Raises the database's error."""
        started = self._started
        async with self._lock:
            if self._number <= started and not self._suits(is_recent):
                self._started += 1
                number = self._started
                try:
                    self._result = await self._read()
                except AnyDatabaseError as error:
                    self._result = error
                self._number = number
            if isinstance(self._result, AnyDatabaseError):
                raise self._result.with_traceback(None)
            return self._result  # type: ignore[return-value]  # None only before the first read

    def _suits(self, is_recent: Callable[[T], bool] | None) -> bool:
        result = self._result
        if is_recent is None or result is None or isinstance(result, AnyDatabaseError):
            return False
        return is_recent(result)
