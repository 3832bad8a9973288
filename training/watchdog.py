"""Finds runs that nobody works on. A thread in every web and worker process, so that one of them alone is enough.

Ages are measured on this process's monotonic clock, from when it first saw the row as it is: a wall clock that jumps
neither loses nor revives a run.
"""

from __future__ import annotations

import logging
import threading
import time

from django.db import Error as AnyDatabaseError
from django.db import close_old_connections
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from training import services, tasks
from training.models import Status, TrainingRun

LOOK_SECONDS = 2.0
LOST_SECONDS = 15.0  # without a heartbeat
GIVEN_UP_SECONDS = 26.0  # without a heartbeat, and released: no worker is there
RESEND_SECONDS = 5.0  # a queued run whose message may have been lost with Redis
logger = logging.getLogger(__name__)


class Watchdog:
    """One process's view of the active run: its last sign of life, and since when there has been no other."""

    def __init__(self, serves_queue: bool) -> None:
        self.serves_queue = serves_queue
        self._seen: tuple[object, ...] | None = None
        self._since = 0.0
        self._sent_at = float("-inf")

    def look(self, now: float) -> None:
        """Compare the active run with the last look; `now` is monotonic seconds."""
        run = TrainingRun.objects.active().newest()
        state = (run.pk, run.attempt, run.heartbeat_at) if run else None  # a release changes none of these
        if state != self._seen:
            self._seen, self._since = state, now
        if run is None:
            return
        still = now - self._since
        if run.status == Status.IN_PROGRESS and still >= LOST_SECONDS:
            services.take_up_lost(run)
        elif run.status == Status.QUEUED:
            self.see_to_queued(run, still, now)

    def see_to_queued(self, run: TrainingRun, still: float, now: float) -> None:
        """A worker sends itself what waits; a released run that no worker takes is ended."""
        if self.serves_queue and now - self._sent_at >= RESEND_SECONDS:
            self._sent_at = now
            tasks.execute.delay(run.pk)  # a second message finds nothing to claim
        if run.attempt and still >= GIVEN_UP_SECONDS:
            services.give_up_waiting(run)


def watch(dog: Watchdog) -> None:
    while True:
        try:
            close_old_connections()
            dog.look(time.monotonic())
        except (AnyDatabaseError, BrokerError, RedisError, OSError) as error:
            logger.warning("watchdog: %s", error)
        finally:
            close_old_connections()
        time.sleep(LOOK_SECONDS)


def start(serves_queue: bool) -> threading.Thread:
    """Watch from a daemon thread; `serves_queue` says that this process can take a queued run."""
    thread = threading.Thread(target=watch, args=(Watchdog(serves_queue),), name="watchdog", daemon=True)
    thread.start()
    return thread
