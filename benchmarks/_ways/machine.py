"""The machine that a comparison ran on, and how much of it others used meanwhile."""

from __future__ import annotations

import os
import platform
import resource
import time
from importlib import metadata

import psutil

from benchmarks.preprocessing import processor

PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "numpy", "torch")


def described() -> str:
    """Processor, cores, memory and versions."""
    versions = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    memory = f"{psutil.virtual_memory().total / 2**30:.1f} GiB"
    return f"{platform.platform()}, {processor()}, {memory}\n{', '.join(versions)}"


class Others:
    """The share of the cores' time that went to processes not started from here, since this was made.

    A spinning OpenMP barrier turns a neighbour's tenth into several times the seconds, so that a comparison on a busy
    machine says nothing.
    """

    def __init__(self) -> None:
        self._wall, self._busy, self._ours = time.monotonic(), busy(), ours()

    def share(self) -> float:
        """0.0 to 1.0, to the hundredth of a second that the kernel counts in; what started here must have ended."""
        foreign = busy() - self._busy - (ours() - self._ours)
        cores = psutil.cpu_count() or os.cpu_count() or 1
        return max(0.0, foreign / cores / (time.monotonic() - self._wall))


def busy() -> float:
    """CPU seconds of all cores so far, what the host took away included."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def ours() -> float:
    """CPU seconds so far of this process and of all that came from it and have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(times.ru_utime + times.ru_stime for times in used)
