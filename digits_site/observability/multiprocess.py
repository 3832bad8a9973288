"""Share the counters of one machine's processes in a folder, so that each can report all of them.

Every process has files of its own there (prometheus_client's multiprocess mode). The files of one that ended still
count: Prometheus would take a falling total for a restart. They are removed when no process is left.
"""

import fcntl
import os
from pathlib import Path

from prometheus_client import multiprocess

LOCK = "lock"
_locks: list[int] = []


def share_folder(folder: Path) -> None:
    """Join the folder, before any metric is defined; the first process empties it.

    Each holds a lock, which the kernel releases however the process ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        multiprocess.mark_process_dead(os.getpid(), str(folder))  # an earlier process with the same number
    else:
        for file in folder.glob("*.db"):
            file.unlink()
    fcntl.flock(lock, fcntl.LOCK_SH)  # waits while another process is emptying the folder
    _locks.append(lock)


def remove_dead_gauges(folder: Path) -> None:
    """Drop what is true only while a process lives, such as its viewers."""
    for file in folder.glob("gauge_live*.db"):
        pid = file.stem.rpartition("_")[2]
        if pid.isdecimal() and not is_alive(int(pid)):
            multiprocess.mark_process_dead(int(pid), str(folder))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another user's process
    return True
