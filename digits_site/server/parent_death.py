"""How a child of multiprocessing notices that its parent was killed: the pipe that only the parent holds open ends.

The training process does not use this: the pipe of its reports tells it the same.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import wait

from digits_site.server.options import ANSWER_SECONDS


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
    """Terminate this granian worker: it would keep serving beside the workers of the granian that is started next."""
    for _ in range(ANSWER_SECONDS):  # granian misses a signal during its start
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGKILL)
