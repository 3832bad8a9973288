"""How many requests one endpoint may have open in this process: one that hangs must not hold every thread."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

PER_ENDPOINT = 2
_open: Counter[int] = Counter()
_lock = threading.Lock()


@contextmanager
def slot(endpoint: int) -> Iterator[bool]:
    """Hold a slot of the endpoint for the block, and say whether there was one."""
    with _lock:
        granted = _open[endpoint] < PER_ENDPOINT
        _open[endpoint] += granted
    try:
        yield granted
    finally:
        with _lock:
            _open[endpoint] -= granted


def full() -> list[int]:
    """Return the endpoints without a free slot."""
    with _lock:
        return [endpoint for endpoint, count in _open.items() if count >= PER_ENDPOINT]
