"""Processes that may end while one looks at them."""

from contextlib import suppress

import psutil


def spawned(parent: psutil.Process) -> list[psutil.Process]:
    """The living processes below `parent` that Python's multiprocessing spawned."""
    found = []
    for child in parent.children(recursive=True):
        with suppress(psutil.Error):  # it ends, or has ended and nobody has read its exit code
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
    return found


def has_ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
