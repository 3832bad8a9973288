"""Bound how many pictures a process decodes or explains at once: a few kilobytes can take a hundred megabytes.

Large pictures and explanations have a slot of their own, so that a client that sends many of them delays others who
do, and not everybody's drawings, which take a hundredth of the time.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from threading import Event, Lock, Semaphore

from django.conf import settings

from recognition.errors import DecodingBusy

SLOT_TIMEOUT_SECONDS = 5.0  # the largest picture takes up to a second; batches take a slot for each drawing
LARGE_PIXELS = 1_000_000  # 20 ms and more; a drawing on the page has a hundredth of them
MAX_LARGE_WAITING = 1  # a waiting request holds one of granian's four threads


class FairSemaphore:
    """A semaphore that is passed on in the order of arrival.

    After a release, the first thread that asks acquires the standard library's semaphore. A batch acquires one for each
    picture, so it would get it back every time, and other requests would time out.
    """

    def __init__(self, value: int) -> None:
        self._lock = Lock()
        self._free = value
        self._waiting: deque[Event] = deque()

    def acquire(self, timeout: float) -> bool:
        """Return whether it came free within `timeout` seconds."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            turn = Event()
            self._waiting.append(turn)
        if turn.wait(timeout):
            return True
        with self._lock:
            if turn.is_set():  # just now
                return True
            self._waiting.remove(turn)
            return False

    def release(self) -> None:
        """Pass it on to the thread that has waited longest."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1

    def __enter__(self) -> None:
        """Raises DecodingBusy if it does not come free in time."""
        if not self.acquire(SLOT_TIMEOUT_SECONDS):
            raise DecodingBusy

    def __exit__(self, *_: object) -> None:
        self.release()


large_slot, explanation = FairSemaphore(1), FairSemaphore(1)
large_queue, explanation_queue = Semaphore(1 + MAX_LARGE_WAITING), Semaphore(1 + MAX_LARGE_WAITING)
slots = lru_cache(maxsize=1)(FairSemaphore)


def decode_slot(cost: int) -> AbstractContextManager[None]:
    """Hold one of MAX_DECODES slots, or the slot for large pictures, during the block. `cost` is in pixels.

    Raises DecodingBusy if none comes free in time, or if enough large pictures are waiting already.
    """
    return queued(large_slot, large_queue) if cost >= LARGE_PIXELS else slots(settings.MAX_DECODES)


def explanation_slot() -> AbstractContextManager[None]:
    """Hold the slot for explanations during the block. Raises DecodingBusy as `decode_slot` does."""
    return queued(explanation, explanation_queue)


@contextmanager
def queued(slot: FairSemaphore, queue: Semaphore) -> Iterator[None]:
    if not queue.acquire(blocking=False):
        raise DecodingBusy
    try:
        with slot:
            yield
    finally:
        queue.release()
