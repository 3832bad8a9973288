"""Daily statistics of the predictions, which show drift without labels.

Each process counts in memory and adds its counts to the rows of DailyPredictions every FLUSH_SECONDS, in a thread of
its own: no drawing waits for the database. A process that is killed loses the counts since the last flush.
"""

from __future__ import annotations

import logging
import threading
from datetime import date, datetime, timedelta, timezone
from multiprocessing.util import Finalize
from time import time
from typing import NamedTuple

from django.db import Error as AnyDatabaseError
from django.db import close_old_connections, transaction
from django.db.models import F

from recognition.models import DailyPredictions, ModelVersion

FLUSH_SECONDS = 10.0
EXIT_SECONDS = 2.0  # that the end of a process waits for the last flush
KEPT_DAYS = 400
DAY_SECONDS = 86_400
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
logger = logging.getLogger(__name__)


class Key(NamedTuple):
    """One row of DailyPredictions; the day in days since 1970, UTC."""

    day: int
    model: int
    digit: int

    @property
    def date(self) -> date:
        return date.fromordinal(EPOCH_ORDINAL + self.day)


class Counts:
    """Predictions of this process that are not yet in the database: for each key the count, uncertain and confidence.

    It needs no bound: while the database is away, it grows by ten keys a day and model.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[int, int, int], list[float]] = {}

    def add(self, model: int, digit: int, confidence: float, uncertain: bool) -> None:
        """Count one prediction of today."""
        key = (int(time() // DAY_SECONDS), model, digit)
        with self._lock:
            count = self._counts.get(key)
            if count is None:
                count = self._counts[key] = [0, 0, 0.0]
            count[0] += 1
            count[1] += uncertain
            count[2] += confidence

    def take(self) -> dict[Key, list[float]]:
        """Return the counts, and begin again from nothing."""
        with self._lock:
            taken, self._counts = self._counts, {}
        return {Key(*key): count for key, count in taken.items()}

    def put_back(self, taken: dict[Key, list[float]]) -> None:
        """Add counts again that could not be written."""
        with self._lock:
            for key, count in taken.items():
                present = self._counts.setdefault(key, [0, 0, 0.0])  # a Key equals its tuple
                present[:] = [a + b for a, b in zip(present, count, strict=True)]


_counts = Counts()
count = _counts.add


def flush() -> None:
    """Add the counts of this process to the rows. Raises the database's errors; then the counts are kept."""
    taken = _counts.take()
    if not taken:
        return
    try:
        write(taken)
    except BaseException:
        _counts.put_back(taken)
        raise


@transaction.atomic
def write(counts: dict[Key, list[float]]) -> None:
    """Add counts to the rows of their day, model and digit. Counts of a model that was deleted are dropped.

    Sorted, so that two processes cannot deadlock.
    """
    models = set(ModelVersion.objects.filter(pk__in={key.model for key in counts}).values_list("pk", flat=True))
    keys = sorted(key for key in counts if key.model in models)
    rows = [DailyPredictions(day=key.date, model_id=key.model, digit=key.digit) for key in keys]
    DailyPredictions.objects.bulk_create(rows, ignore_conflicts=True)
    for key in keys:
        number, uncertain, confidence = counts[key]
        DailyPredictions.objects.filter(day=key.date, model=key.model, digit=key.digit).update(
            count=F("count") + number, uncertain=F("uncertain") + uncertain, confidence=F("confidence") + confidence
        )


def prune(today: date) -> None:
    """Delete the rows of days more than KEPT_DAYS ago."""
    DailyPredictions.objects.filter(day__lt=today - timedelta(days=KEPT_DAYS)).delete()


class Flusher(threading.Thread):
    """Flushes every FLUSH_SECONDS and at the end of the process, and prunes once a day."""

    def __init__(self) -> None:
        super().__init__(name="statistics", daemon=True)
        self._ending = threading.Event()
        self._pruned: date | None = None

    def run(self) -> None:
        ending = False
        while not ending:
            ending = self._ending.wait(FLUSH_SECONDS)
            self.flush_and_prune(prunes=not ending)

    def flush_and_prune(self, prunes: bool) -> None:
        """Write what can be written; an unreachable database is tried again at the next flush."""
        try:
            close_old_connections()
            flush()
            today = datetime.now(timezone.utc).date()
            if prunes and self._pruned != today:
                prune(today)
                self._pruned = today
        except (AnyDatabaseError, OSError) as error:
            logger.warning("daily statistics wait for the database: %s", error)
        finally:
            close_old_connections()

    def end(self) -> None:
        """Flush a last time, in at most EXIT_SECONDS."""
        self._ending.set()
        self.join(EXIT_SECONDS)


def start() -> None:
    """Start this process's Flusher, once for a process that predicts."""
    flusher = Flusher()
    flusher.start()
    # Not atexit: granian's forked workers end as multiprocessing's children do, without it.
    Finalize(None, flusher.end, exitpriority=0)
