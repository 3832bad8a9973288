"""Persist what happens to a run, then broadcast it to viewers. Events may be lost, rows may not."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime
from typing import Any, TypeVar

from channels.layers import get_channel_layer
from django.core.cache import cache
from django.db import InterfaceError, OperationalError, connection, transaction
from redis.exceptions import RedisError

from training.learner import reports
from training.live import events
from training.live.curve import BatchCurve, TimeLeft
from training.models import Status, TrainingRun

BATCH_SECONDS = 0.1  # at most ten batch events a second
SEND_TIMEOUT_SECONDS = 1.0
RETRY_FOR_SECONDS = 120.0
CACHED_SECONDS = 3600
logger = logging.getLogger(__name__)
T = TypeVar("T")


def broadcast_change(run: TrainingRun, payload: events.Payload) -> None:
    """Broadcast one change of state that is already in the database."""
    with closing(RunProgress(run)) as progress:
        progress.broadcast(payload)


def payload_of(run: TrainingRun, in_service: bool = False) -> events.Payload:
    """Return the payload of the run's end, or of its return to the queue."""
    if run.status == Status.COMPLETED:
        return events.Completed(
            type="completed", test_accuracy=run.test_accuracy, model=run.model_id, in_service=in_service
        )
    if run.status == Status.ERROR:
        return events.Failed(type="error", error_code=run.error_code, error=run.error)
    if run.status == Status.INTERRUPTED:
        return events.Interrupted(type="interrupted")
    return events.Queued(type="queued")


def persist(write: Callable[[], T]) -> T:
    """Write to the database, and retry while it is away: an epoch outlives a restart of PostgreSQL.

    `write` must be safe to repeat. Raises the database's error after two minutes.
    """
    deadline = time.monotonic() + RETRY_FOR_SECONDS
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
    """The progress of one run: rows, cache and channel layer.

    Owns an event loop and so one connection, because async_to_sync would open a new one for every event. While Redis
    is away, it drops events for a second at a time: viewers catch up from the database.
    """

    def __init__(self, run: TrainingRun) -> None:
        self.run = run
        self._loop = asyncio.new_event_loop()
        self._batch_sent_at = self._paused_until = 0.0
        self._is_away = False
        max_epochs = run.parameters["epochs"]
        self._curve, self._time_left = BatchCurve(run.pk, run.queued_at, max_epochs), TimeLeft(max_epochs)

    def close(self) -> None:
        self._loop.close()  # the layer closes its connections with the loop

    def begin_attempt(self, after_epoch: int) -> None:
        """Continue the curve of batches after that epoch, and estimate by the epochs of earlier attempts."""
        self._curve.begin_attempt(after_epoch)
        self._time_left.epoch_seconds = list(self.run.epochs.values_list("seconds", flat=True))

    @property
    def is_paused(self) -> bool:
        """Return whether Redis was away within the last second."""
        return time.monotonic() < self._paused_until

    def broadcast(self, payload: events.Payload) -> None:
        """Broadcast an event at the run's current `seq` to every process with viewers; drop it while Redis is away."""
        if self.is_paused:
            return
        event = events.event(payload, self.run.pk, self.run.seq)
        try:
            sending = get_channel_layer().group_send(events.GROUP, {"type": "training.event", "event": event})
            self._loop.run_until_complete(asyncio.wait_for(sending, SEND_TIMEOUT_SECONDS))
        except (RedisError, OSError, asyncio.TimeoutError) as error:
            if not self._is_away:  # one warning for each outage
                logger.warning("events are not broadcast: %s", error)
            self._is_away, self._paused_until = True, time.monotonic() + 1
        else:
            self._is_away = False

    def batch(self, report: reports.Batch) -> None:
        """Broadcast a batch, at most ten a second, and cache its percentage for clients that poll.

        The curve for viewers who come later is cached at most once a second.
        """
        now = time.monotonic()
        if now - self._batch_sent_at < BATCH_SECONDS and report["step"] < report["steps"]:
            return
        self._batch_sent_at = now
        self.broadcast(events.Batch(**report, seconds_left=self._time_left.seconds(report)))
        self._cache_percentage(report["epoch"], 100 * report["step"] / report["steps"])
        self._curve.add(report)
        if self._curve.is_due and not self.is_paused:
            with suppress(RedisError):
                self._curve.write()

    def finish(self, status: Status, **values: Any) -> None:
        """Write the run's end and its curve of batches. Safe to repeat. Raises LostClaim."""
        with transaction.atomic():
            self.run.finish(status, **values)
            self._curve.store()

    def phase(self, report: reports.Phase) -> None:
        """Broadcast a phase. After the last epoch, which may come before `max_epochs`, the percentage stays at 100."""
        self.broadcast(report)
        if report["phase"] == "evaluating":
            self._cache_percentage(self.run.epochs.count() + 1, 100.0)

    def _cache_percentage(self, epoch: int, percentage: float) -> None:
        if self.is_paused:  # do not wait twice for a Redis that does not answer
            return
        with suppress(RedisError):
            key = cache_key(self.run.pk, self.run.queued_at)
            cache.set(key, (epoch, percentage), timeout=CACHED_SECONDS)

    def epoch(self, report: reports.Epoch) -> None:
        """Write a finished epoch's row, then broadcast it. Raises LostClaim."""
        values = {name: value for name, value in report.items() if name != "type"}
        self._time_left.epoch_seconds.append(report["seconds"])
        if persist(lambda: self.run.add_epoch(values)):
            self.broadcast(report)


def cache_key(run_id: int, queued_at: datetime) -> str:
    """Return the key of a run's progress; `queued_at` distinguishes runs of two databases that share a Redis."""
    return f"progress:{run_id}:{queued_at.timestamp()}"


def cached_percentage(run_id: int, queued_at: datetime, epochs_done: int, max_epochs: int) -> float:
    """Return how much of the current epoch is done, 0-100, as far as the cache knows; 100 after the last epoch."""
    if epochs_done >= max_epochs:
        return 100.0
    try:
        epoch, percentage = cache.get(cache_key(run_id, queued_at)) or (0, 0.0)
    except RedisError:
        return 0.0
    return percentage if epoch == epochs_done + 1 else 0.0


def current_progress(run: TrainingRun | None) -> dict[str, Any]:
    """Return the legacy API's progress object of an active run, else `{}`. Only `percentage` comes from the cache."""
    if run is None or not run.is_active:
        return {}
    last = run.epochs.values("epoch", "accuracy").last()
    max_epochs = run.parameters["epochs"]
    percentage = cached_percentage(run.pk, run.queued_at, last["epoch"] if last else 0, max_epochs)
    return events.progress(max_epochs, percentage, last)
