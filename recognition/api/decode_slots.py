"""How many drawings a process decodes at once: a file of some kilobytes may take a hundred megabytes meanwhile.

Large pictures have a turn of their own, one at a time, so that whoever sends many of them holds up others who do, and
not the drawings of everybody else, which take a hundredth of the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from queue import Empty, SimpleQueue

from django.conf import settings

from recognition.errors import Busy

PATIENCE_SECONDS = 5.0  # the largest picture takes up to a second; batches pass each other, drawing by drawing
LARGE_PIXELS = 1_000_000  # 20 milliseconds and up; a page's drawing has a hundredth of them
LARGE_WAITING = 1  # a request that waits holds one of granian's four threads


Free = SimpleQueue[None]  # threading.Semaphore does the same in Python, which costs more than what it guards


def places(number: int) -> Free:
    """So many that are free."""
    free: Free = SimpleQueue()
    for _ in range(number):
        free.put(None)
    return free


@lru_cache(maxsize=1)
def turns(most: int) -> Free:
    return places(most)


_large = places(1)
_large_here = places(1 + LARGE_WAITING)


@contextmanager
def turn(pixels: int) -> Iterator[None]:
    """One of MAX_DECODES, or the one for large pictures, for as long as the block; `pixels` is what the header says.

    Raises Busy when none comes free in time, or when enough large ones wait already.
    """
    if pixels < LARGE_PIXELS:
        with held(turns(settings.MAX_DECODES), PATIENCE_SECONDS):
            yield
    else:
        with held(_large_here, 0.0), held(_large, PATIENCE_SECONDS):
            yield


@contextmanager
def held(free: Free, seconds: float) -> Iterator[None]:
    """Raises Busy when none is to be had within so many seconds."""
    try:
        free.get(timeout=seconds)
    except Empty:
        raise Busy from None
    try:
        yield
    finally:
        free.put(None)
