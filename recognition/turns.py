"""How many drawings a process decodes at once: a file of some kilobytes may take a hundred megabytes meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import Semaphore

from django.conf import settings

from recognition.exceptions import Busy

PATIENCE_SECONDS = 2.0  # the largest picture takes a third of a second


@lru_cache(maxsize=1)
def turns(most: int) -> Semaphore:
    return Semaphore(most)


@contextmanager
def turn() -> Iterator[None]:
    """One of MAX_DECODES, for as long as the block. Raises Busy when none comes free in time."""
    of_all = turns(settings.MAX_DECODES)
    if not of_all.acquire(timeout=PATIENCE_SECONDS):
        raise Busy
    try:
        yield
    finally:
        of_all.release()
