"""How a child of multiprocessing notices that its parent was killed: the pipe that only the parent holds open ends.

The training child needs nothing of this, because the pipe of its reports tells it the same.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import wait

ANSWER_SECONDS = 8  # for requests in flight


def after_parent_death(end: Callable[[], object]) -> None:
    """Call `end` in a thread once the parent is gone. In a process that multiprocessing did not start, do nothing."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel

    def watch() -> None:
        wait([sentinel])
        end()

    threading.Thread(target=watch, name="parent-death", daemon=True).start()


def terminate_gracefully() -> None:
    """Terminate this process, as a granian worker must that would serve on beside those of the next granian."""
    for _ in range(ANSWER_SECONDS):  # granian misses a signal while it sets itself up
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGKILL)
