"""A folder in which the processes of one machine share their counters, so that each can tell of all.

Every process has files of its own in it (prometheus_client's multiprocess mode). Those of a process that ended count
on: a total must not fall while others live, Prometheus would take that for a restart. They go when nobody is left.
"""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path

from prometheus_client import multiprocess

LOCK = "lock"
LIVE_GAUGES = re.compile(r"gauge_live\w+_(\d+)\.db")
_held: list[int] = []


def share(folder: Path) -> None:
    """Make this process one of the folder's, before any metric is defined; the first of them finds it empty.

    Who lives is told by a lock that the kernel lets go of when its process ends, in whatever way.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        multiprocess.mark_process_dead(os.getpid(), str(folder))  # one that had our number before us
    else:
        for file in folder.glob("*.db"):
            file.unlink()
    fcntl.flock(lock, fcntl.LOCK_SH)  # waits while another process is emptying the folder
    _held.append(lock)


def forget_the_dead(folder: Path) -> None:
    """What is true only while a process lives (its viewers) ends with it."""
    for file in folder.glob("gauge_live*.db"):
        found = LIVE_GAUGES.fullmatch(file.name)
        if found and not alive(int(found[1])):
            multiprocess.mark_process_dead(int(found[1]), str(folder))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's, but there
    return True
