"""Finds runs that nobody works on. A thread in every web and worker process, so that one of them alone is enough.

Ages are measured on this process's monotonic clock, from when it first saw the row as it is: a wall clock that jumps
neither loses nor revives a run.
"""

from __future__ import annotations

import logging
import threading
import time

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import close_old_connections
from django.db.models import Q
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from training.live.broadcast import announce, ending
from training.models import Status, TrainingRun
from training.worker import heartbeat, tasks

LOST_SECONDS = settings.RUN_LOST_SECONDS  # without a heartbeat; the other times are in proportion to it
PROPORTION = LOST_SECONDS / 15
LOOK_SECONDS = min(2.0, 2.0 * PROPORTION)
GIVEN_UP_SECONDS = 26.0 * PROPORTION  # without a heartbeat, and released ...
UNCLAIMED_SECONDS = 9.0 * PROPORTION  # ... for so long: no worker is there
FIRST_LOOK_SECONDS = 12.0 * PROPORTION  # how much of a heartbeat's age a process believes at its first look
RESEND_SECONDS = 5.0 * PROPORTION  # a queued run whose message may have been lost with Redis
logger = logging.getLogger(__name__)


class Watchdog:
    """One process's view of the active run: its last sign of life, and since when there has been no other."""

    def __init__(self, serves_queue: bool) -> None:
        self.serves_queue = serves_queue
        self._seen: tuple[object, ...] | None = None
        self._since = self._queued_since = 0.0
        self._first = True
        self._sent_at = float("-inf")

    def look(self, now: float) -> None:
        """Compare the active run with the last look; `now` is monotonic seconds."""
        run = TrainingRun.objects.active().newest()
        state = (run.pk, run.attempt, run.heartbeat_at) if run else None  # a release changes none of these
        if state != self._seen:
            self._seen, self._since = state, now - (self.believed_age(run) if self._first else 0)
        self._first = False
        if run is None or run.status != Status.QUEUED:
            self._queued_since = now
        if run is None:
            return
        if run.status == Status.QUEUED:
            self.see_to_queued(run, now)
        elif now - self._since >= LOST_SECONDS:
            release_lost(run)

    @staticmethod
    def believed_age(run: TrainingRun | None) -> float:
        """So that web processes which are restarted again and again do not keep a lost run alive.

        A live worker beats well within what is left of LOST_SECONDS, whatever the wall clocks say.
        """
        if run is None or run.heartbeat_at is None:
            return 0.0
        return min(max((timezone.now() - run.heartbeat_at).total_seconds(), 0.0), FIRST_LOOK_SECONDS)

    def see_to_queued(self, run: TrainingRun, now: float) -> None:
        """A worker sends itself what waits; a released run that no worker takes is ended by the others."""
        if self.serves_queue:
            if now - self._sent_at >= RESEND_SECONDS:
                self._sent_at = now
                tasks.execute.delay(run.pk)  # a second message finds nothing to claim
        elif run.attempt and now - self._since >= GIVEN_UP_SECONDS and now - self._queued_since >= UNCLAIMED_SECONDS:
            give_up_waiting(run)

    def blink(self) -> None:
        """A look failed: a database that could not be asked is no worker that was silent."""
        self._seen = None


def release_lost(run: TrainingRun) -> None:
    """Hand back a run whose heartbeat, as it stands in `run`, has stood still for too long."""
    if run.release(seen=Q(heartbeat_at=run.heartbeat_at)):
        logger.warning("%s lost its worker %s: now %s", run, run.worker, run.status)
        announce(run, run.status, **ending(run))


def give_up_waiting(run: TrainingRun) -> None:
    """End a run that lost its worker and that no other worker has taken."""
    text = "The worker was lost and no other worker took the run."
    if run.end_queued(Status.ERROR, error_code="worker_lost", error=text):
        announce(run, "error", **ending(run))


def watch(dog: Watchdog) -> None:
    while True:
        try:
            close_old_connections()
            dog.look(time.monotonic())
            if dog.serves_queue:
                heartbeat.say_alive()
        except (AnyDatabaseError, BrokerError, RedisError, OSError) as error:
            logger.warning("watchdog: %s", error)
            dog.blink()
        finally:
            close_old_connections()
        time.sleep(LOOK_SECONDS)


def start(serves_queue: bool) -> threading.Thread:
    """Watch from a daemon thread; `serves_queue` says that this process can take a queued run."""
    thread = threading.Thread(target=watch, args=(Watchdog(serves_queue),), name="watchdog", daemon=True)
    thread.start()
    return thread
