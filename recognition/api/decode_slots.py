"""Bound how many pictures a process decodes at once: a file of a few kilobytes can take a hundred megabytes.

Large pictures have a slot of their own, so that a client that sends many of them delays others who do, and not
everybody's drawings, which take a hundredth of the time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import Semaphore

from django.conf import settings

from recognition.errors import DecodingBusy

SLOT_TIMEOUT_SECONDS = 5.0  # the largest picture takes up to a second; batches take a slot for each drawing
LARGE_PIXELS = 1_000_000  # 20 ms and more; a drawing on the page has a hundredth of them
MAX_LARGE_WAITING = 1  # a waiting request holds one of granian's four threads

large_slot = Semaphore(1)
large_queue = Semaphore(1 + MAX_LARGE_WAITING)


@lru_cache(maxsize=1)
def slots(number: int) -> Semaphore:
    return Semaphore(number)


@contextmanager
def decode_slot(pixels: int) -> Iterator[None]:
    """Hold one of MAX_DECODES slots, or the slot for large pictures, during the block.

    Raises DecodingBusy if none comes free in time, or if enough large pictures are waiting already.
    """
    if pixels < LARGE_PIXELS:
        with acquired(slots(settings.MAX_DECODES), SLOT_TIMEOUT_SECONDS):
            yield
    else:
        with acquired(large_queue, 0.0), acquired(large_slot, SLOT_TIMEOUT_SECONDS):
            yield


@contextmanager
def acquired(semaphore: Semaphore, timeout: float) -> Iterator[None]:
    """Raises DecodingBusy if the semaphore is not acquired within `timeout` seconds."""
    if not semaphore.acquire(timeout=timeout):
        raise DecodingBusy
    try:
        yield
    finally:
        semaphore.release()
