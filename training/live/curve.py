"""The curve of a run's batches, kept in the cache for viewers who come in mid-run, and the time that is left.

Until the run's end the cache alone has the curve: without it, or without Redis, a viewer begins with an empty one.
"""

from __future__ import annotations

import math
import time
from contextlib import suppress
from datetime import datetime

from django.core.cache import cache
from redis.exceptions import RedisError

from training.learner import reports
from training.live.events import BatchPoint
from training.models import Batches

MAX_POINTS = 300  # of a whole run
WRITE_SECONDS = 1.0
CACHED_SECONDS = 3600
DECIMALS = 5
RECENT_EPOCHS = 3
MIN_SECONDS = 1.0  # of batches to measure


class BatchCurve:
    """One run's curve, evenly thinned, for `cached_curve` to read."""

    def __init__(self, run_id: int, queued_at: datetime, max_epochs: int) -> None:
        self._run_id, self._key, self._spacing = run_id, curve_key(run_id, queued_at), max_epochs / MAX_POINTS
        self._steps = 0
        self._points: list[BatchPoint] = []
        self._written_at, self._is_written = float("-inf"), True

    def begin_attempt(self, after_epoch: int) -> None:
        """Continue with the points up to that epoch, of an earlier attempt of any worker."""
        self._points = [point for point in self._points or read(self._key) if point["at"] <= after_epoch]
        self._is_written = False

    def add(self, batch: reports.Batch) -> None:
        """Add a batch if it is far enough from the last one."""
        at, self._steps = batch["epoch"] - 1 + batch["step"] / batch["steps"], batch["steps"]
        if self._points and at - self._points[-1]["at"] < self._spacing:
            return
        loss, accuracy = batch["loss"], batch["accuracy"]
        self._points.append(
            BatchPoint(at=round(at, DECIMALS), loss=round(loss, DECIMALS), accuracy=round(accuracy, DECIMALS))
        )
        self._is_written = False

    @property
    def is_due(self) -> bool:
        """Return whether there is a new point to write, a second after the last write."""
        return not self._is_written and time.monotonic() - self._written_at >= WRITE_SECONDS

    def write(self) -> None:
        """Write the curve to the cache. Raises RedisError."""
        self._written_at, self._is_written = time.monotonic(), True
        cache.set(self._key, self._points[-MAX_POINTS:], timeout=CACHED_SECONDS)

    def store(self) -> None:
        """Write the curve to the database. Safe to repeat."""
        points = [(each["at"], each["loss"], each["accuracy"]) for each in self._points if math.isfinite(each["loss"])]
        if points and self._steps:
            Batches.objects.update_or_create(run_id=self._run_id, defaults={"steps": self._steps, "points": points})


def curve_key(run_id: int, queued_at: datetime) -> str:
    return f"batches:{run_id}:{queued_at.timestamp()}"


def cached_curve(run_id: int, queued_at: datetime) -> list[BatchPoint]:
    """Return the curve of an active run, as far as the cache has it."""
    return read(curve_key(run_id, queued_at))


def read(key: str) -> list[BatchPoint]:
    with suppress(RedisError):
        found = cache.get(key)
        return found if isinstance(found, list) else []
    return []


class TimeLeft:
    """Estimates a run's remaining seconds from its last epochs, or from the batches of its first one."""

    def __init__(self, max_epochs: int) -> None:
        self.max_epochs = max_epochs
        self.epoch_seconds: list[float] = []
        self._epoch = self._first_step = 0
        self._first_at = 0.0

    def seconds(self, batch: reports.Batch) -> float | None:
        """Return the seconds left after this batch; None while there is nothing to measure."""
        per_epoch = self._seconds_per_epoch(batch)
        if per_epoch is None:
            return None
        remaining = self.max_epochs - batch["epoch"] + 1 - batch["step"] / batch["steps"]
        return round(max(0.0, remaining * per_epoch), 1)

    def _seconds_per_epoch(self, batch: reports.Batch) -> float | None:
        if recent := self.epoch_seconds[-RECENT_EPOCHS:]:
            return sum(recent) / len(recent)
        now = time.monotonic()
        if batch["epoch"] != self._epoch or batch["step"] < self._first_step:
            self._epoch, self._first_step, self._first_at = batch["epoch"], batch["step"], now
        steps, seconds = batch["step"] - self._first_step, now - self._first_at
        return seconds / steps * batch["steps"] if steps and seconds >= MIN_SECONDS else None
