"""What a call takes of the processor, which other processes prolong less than what it takes by the clock."""

import os
import time
from collections.abc import Callable


def of_process_and_children() -> float:
    """Seconds of the processor so far, those of child processes that have ended included."""
    return sum(os.times()[:4])


def cpu_seconds(call: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    began = clock()
    call()
    return clock() - began


def least_cpu_seconds(
    call: Callable[[], object], enough: float, clock: Callable[[], float] = time.process_time
) -> float:
    """The least time of three calls, because other processes evict this one's caches; or the first below `enough`."""
    least = cpu_seconds(call, clock)
    for _ in range(2):
        if least >= enough:
            least = min(least, cpu_seconds(call, clock))
    return least
