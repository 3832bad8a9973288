"""Find runs that no worker works on. Every web and worker process has a watchdog thread; any one of them is enough.

Ages are measured on this process's monotonic clock, since it first saw the row unchanged: a wall clock that jumps
neither loses nor revives a run.
"""

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

from training.live.broadcast import announce, payload_of
from training.models import Status, TrainingRun
from training.worker import heartbeat, tasks

LOST_SECONDS = settings.RUN_LOST_SECONDS  # without a heartbeat; the other times are in proportion to it
PROPORTION = LOST_SECONDS / 15
POLL_SECONDS = min(2.0, 2.0 * PROPORTION)
GIVEN_UP_SECONDS = 26.0 * PROPORTION  # without a heartbeat, and ...
UNCLAIMED_SECONDS = 9.0 * PROPORTION  # ... queued again without a worker that claims the run
FIRST_POLL_SECONDS = 12.0 * PROPORTION  # how much of a heartbeat's age the first poll believes
RESEND_SECONDS = 5.0 * PROPORTION  # a queued run's message may have been lost with Redis
logger = logging.getLogger(__name__)


class Watchdog:
    """One process's view of the active run: its last heartbeat, and how long there has been no other."""

    def __init__(self, serves_queue: bool) -> None:
        self.serves_queue = serves_queue
        self._seen: tuple[object, ...] | None = None
        self._since = self._queued_since = 0.0
        self._first = True
        self._sent_at = float("-inf")

    def poll(self, now: float) -> None:
        """Compare the active run with the last poll; `now` is monotonic seconds."""
        run = TrainingRun.objects.active().newest()
        state = (run.pk, run.attempt, run.heartbeat_at) if run else None  # none of these changes with a release
        if state != self._seen:
            self._seen, self._since = state, now - (self.believed_age(run) if self._first else 0)
        self._first = False
        if run is None or run.status != Status.QUEUED:
            self._queued_since = now
        if run is None:
            return
        if run.status == Status.QUEUED:
            self.check_queued(run, now)
        elif now - self._since >= LOST_SECONDS and run.requeue_or_end(seen=Q(heartbeat_at=run.heartbeat_at)):
            logger.warning("%s lost its worker %s: now %s", run, run.worker, run.status)
            announce(run, payload_of(run))

    @staticmethod
    def believed_age(run: TrainingRun | None) -> float:
        """Return how much of the heartbeat's age to believe at the first poll.

        Without it, web processes that restart again and again would keep a lost run alive. A live worker writes the
        next heartbeat well within the rest of LOST_SECONDS, whatever the wall clocks say.
        """
        if run is None or run.heartbeat_at is None:
            return 0.0
        return min(max((timezone.now() - run.heartbeat_at).total_seconds(), 0.0), FIRST_POLL_SECONDS)

    def check_queued(self, run: TrainingRun, now: float) -> None:
        """In a worker, send the run to the queue again; elsewhere, end a released run that no worker claims."""
        if self.serves_queue:
            if now - self._sent_at >= RESEND_SECONDS:
                self._sent_at = now
                tasks.execute.delay(run.pk)  # a second message finds nothing to claim
        elif run.attempt and now - self._since >= GIVEN_UP_SECONDS and now - self._queued_since >= UNCLAIMED_SECONDS:
            text = "Training stopped unexpectedly, and no other worker took over. Try again, or ask the operator."
            if run.end_queued(Status.ERROR, error_code="worker_lost", error=text):
                announce(run, payload_of(run))

    def reset(self) -> None:
        """Forget the last poll: an unreachable database does not mean a dead worker."""
        self._seen = None


def watch(watchdog: Watchdog) -> None:
    """Poll for ever."""
    while True:
        try:
            close_old_connections()
            watchdog.poll(time.monotonic())
            if watchdog.serves_queue:
                heartbeat.beat()
        except (AnyDatabaseError, BrokerError, RedisError, OSError) as error:
            logger.warning("watchdog: %s", error)
            watchdog.reset()
        finally:
            close_old_connections()
        time.sleep(POLL_SECONDS)


def start(serves_queue: bool) -> threading.Thread:
    """Start the watchdog's daemon thread; `serves_queue` means that this process can claim queued runs."""
    thread = threading.Thread(target=watch, args=(Watchdog(serves_queue),), name="watchdog", daemon=True)
    thread.start()
    return thread
