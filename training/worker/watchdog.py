"""Find runs that no worker works on. Every daphne and worker process has a watchdog thread; one is enough.

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

from digits_site.backends.broker import BROKER_ERRORS
from recognition.corrections.retention import apply_retention
from training.live.broadcast import broadcast_change, payload_of
from training.models import Status, TrainingRun
from training.worker import presence, queue
from training.worker.waiting import promote_next

LOST_SECONDS = settings.RUN_LOST_SECONDS  # without a heartbeat; the other times are in proportion to it
PROPORTION = LOST_SECONDS / 15
POLL_SECONDS = min(2.0, 2.0 * PROPORTION)
# A requeued run that no worker claims is ended when both are over: since its heartbeat, and since it was requeued.
GIVEN_UP_SECONDS, UNCLAIMED_SECONDS = 26.0 * PROPORTION, 9.0 * PROPORTION
FIRST_POLL_SECONDS = 12.0 * PROPORTION  # largest age that the first poll takes from the wall clock
RETENTION_SECONDS = 3600.0  # between two applications of CORRECTION_DAYS
RESEND_SECONDS = 5.0 * PROPORTION  # a queued run's message may have been lost with Redis
logger = logging.getLogger(__name__)


class Watchdog:
    """One process's view of the active run: its last heartbeat, and the time since."""

    def __init__(self, is_worker: bool) -> None:
        self.is_worker = is_worker
        self._seen: tuple[object, ...] | None = None
        self._since = self._queued_since = 0.0
        self._first = True
        self._sent_at = self._retention_at = float("-inf")

    def poll(self, now: float) -> None:
        """Compare the active run with the last poll; `now` is monotonic seconds."""
        run = TrainingRun.objects.active().newest()
        state = (run.pk, run.attempt, run.heartbeat_at) if run else None  # requeueing changes none of these
        if state != self._seen:
            self._seen, self._since = state, now - (self.initial_age(run) if self._first else 0)
        self._first = False
        if run is None or run.status != Status.QUEUED:
            self._queued_since = now
        if run is None:
            promote_next()  # whatever process should have done so at the last run's end
            return
        if run.status == Status.QUEUED:
            self.check_queued(run, now)
        elif now - self._since >= LOST_SECONDS and run.requeue_or_end(seen=Q(heartbeat_at=run.heartbeat_at)):
            logger.warning("%s lost its worker %s: now %s", run, run.worker, run.status)
            broadcast_change(run, payload_of(run))

    def apply_retention(self, now: float) -> None:
        """Delete old corrections once in RETENTION_SECONDS; `now` is monotonic seconds."""
        if now - self._retention_at >= RETENTION_SECONDS:
            self._retention_at = now
            apply_retention()

    @staticmethod
    def initial_age(run: TrainingRun | None) -> float:
        """Return the heartbeat's age at the first poll, by the wall clock and within FIRST_POLL_SECONDS.

        Without it, web processes that restart again and again would keep a lost run alive. A live worker writes the
        next heartbeat well within the rest of LOST_SECONDS, whatever the wall clocks say.
        """
        if run is None or run.heartbeat_at is None:
            return 0.0
        return min(max((timezone.now() - run.heartbeat_at).total_seconds(), 0.0), FIRST_POLL_SECONDS)

    def check_queued(self, run: TrainingRun, now: float) -> None:
        """In a worker, send the run to the queue again; elsewhere, end a released run that no worker claims."""
        if self.is_worker:
            if now - self._sent_at >= RESEND_SECONDS:
                self._sent_at = now
                queue.send(run)
        elif run.attempt and now - self._since >= GIVEN_UP_SECONDS and now - self._queued_since >= UNCLAIMED_SECONDS:
            text = "Training stopped unexpectedly, and no other worker took over. Try again, or ask the operator."
            if run.end_queued(Status.ERROR, error_code="worker_lost", error=text):
                broadcast_change(run, payload_of(run))

    def reset(self) -> None:
        """Forget the last poll: an unreachable database does not mean a dead worker."""
        self._seen = None


def watch(watchdog: Watchdog) -> None:
    """Poll for ever."""
    while True:
        try:
            close_old_connections()
            watchdog.poll(time.monotonic())
            if watchdog.is_worker:
                presence.refresh()
                watchdog.apply_retention(time.monotonic())
        except (AnyDatabaseError, *BROKER_ERRORS) as error:
            logger.warning("watchdog: %s", error)
            watchdog.reset()
        except Exception:  # without this thread no lost run is ever found
            logger.exception("watchdog: polling failed")
        finally:
            close_old_connections()
        time.sleep(POLL_SECONDS)


def start(is_worker: bool) -> threading.Thread:
    """Start the watchdog's daemon thread; a worker also resends queued runs and refreshes its presence."""
    thread = threading.Thread(target=watch, args=(Watchdog(is_worker),), name="watchdog", daemon=True)
    thread.start()
    return thread
