"""What happens to a run, told to whoever watches: persist first, then broadcast. News may be lost, rows may not."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from channels.layers import get_channel_layer
from django.core.cache import cache
from django.db import InterfaceError, OperationalError, connection
from redis.exceptions import RedisError

from training.live import events
from training.models import TrainingRun

BATCH_SECONDS = 0.1  # at most ten batch events a second
SEND_SECONDS = 1.0
PATIENCE_SECONDS = 120.0
logger = logging.getLogger(__name__)
T = TypeVar("T")


class Broadcaster:
    """Sends events to the channel layer over one kept connection.

    Owns an event loop, because async_to_sync would open a new connection for every event. While Redis is away sending
    is given up for a second at a time: viewers catch up from the database.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._silent_until = 0.0
        self._away = False

    def __enter__(self) -> Broadcaster:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._loop.close()  # the layer closes its connections with the loop

    @property
    def silent(self) -> bool:
        """Redis was away a moment ago."""
        return time.monotonic() < self._silent_until

    def send(self, event: events.Event) -> None:
        if self.silent:
            return
        layer = get_channel_layer()
        try:
            sending = layer.group_send(events.GROUP, {"type": "training.event", "event": event})
            self._loop.run_until_complete(asyncio.wait_for(sending, SEND_SECONDS))
        except (RedisError, OSError, TimeoutError, asyncio.TimeoutError) as error:
            if not self._away:  # once an outage
                logger.warning("events are not broadcast: %s", error)
            self._away, self._silent_until = True, time.monotonic() + 1
        else:
            self._away = False


def announce(run: TrainingRun, kind: str, **values: Any) -> None:
    """Broadcast one change of state that is already in the database."""
    with Broadcaster() as broadcaster:
        broadcaster.send(events.event(kind, run.pk, run.seq, **values))


def ending(run: TrainingRun, in_service: bool = False) -> dict[str, Any]:
    """What the event of a run's end says beside its kind."""
    if run.status == "completed":
        return {"test_accuracy": run.test_accuracy, "model": run.model_id, "in_service": in_service}
    if run.status == "error":
        return {"error_code": run.error_code, "error": run.error}
    return {}


def persist(write: Callable[[], T]) -> T:
    """Do a write, and again while the database is away: a finished epoch is not given up for a restart of PostgreSQL.

    `write` must be safe to repeat. Raises the database's error after two minutes.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError) as error:
            if time.monotonic() > deadline:
                raise
            logger.warning("database away, trying again: %s", error)
            connection.close()
            time.sleep(0.5)


class RunProgress:
    """The progress of one attempt at a run: rows, cache and channel layer."""

    def __init__(self, run: TrainingRun, broadcaster: Broadcaster) -> None:
        self.run = run
        self._broadcaster = broadcaster
        self._last_batch = 0.0

    def tell(self, kind: str, **values: Any) -> None:
        self._broadcaster.send(events.event(kind, self.run.pk, self.run.seq, **values))

    def batch(self, values: dict[str, Any]) -> None:
        """News of a batch, thinned to ten a second. The cache serves those who poll."""
        now = time.monotonic()
        if now - self._last_batch < BATCH_SECONDS and values["step"] < values["steps"]:
            return
        self._last_batch = now
        self.tell("batch", **values)
        if not self._broadcaster.silent:  # one wait for a Redis that does not answer is enough
            remember_percentage(self.run.pk, values["epoch"], 100 * values["step"] / values["steps"])

    def epoch(self, values: dict[str, Any]) -> None:
        """A finished epoch: its row, and then the news of it. Raises LostClaim."""
        if persist(lambda: self.run.add_epoch(values)):
            self.tell("epoch", **values)


def remember_percentage(run: int, epoch: int, percentage: float) -> None:
    try:
        cache.set(f"progress:{run}", (epoch, percentage), timeout=3600)
    except RedisError as error:
        logger.debug("progress not cached: %s", error)


def percentage(run_id: int, epochs_done: int, max_epochs: int) -> float:
    """How much of the present epoch is done, 0-100, as far as the cache knows; 100 after the last one."""
    if epochs_done >= max_epochs:
        return 100.0
    try:
        epoch, value = cache.get(f"progress:{run_id}") or (0, 0.0)
    except RedisError:
        return 0.0
    return value if epoch == epochs_done + 1 else 0.0


def live(run: TrainingRun | None) -> dict[str, Any]:
    """The original's progress object of an active run, `{}` of any other. Only `percentage` comes from the cache."""
    if run is None or not run.is_active:
        return {}
    last = run.epochs.values("epoch", "accuracy").last()
    max_epochs = run.parameters["epochs"]
    return events.progress(max_epochs, percentage(run.pk, last["epoch"] if last else 0, max_epochs), last)
