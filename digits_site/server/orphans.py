"""A server's workers end when the process that started them is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from multiprocessing.connection import wait

ANSWER_SECONDS = 8  # for requests in flight


def end_with_parent() -> None:
    """In a worker that multiprocessing started, as granian's are, take the parent's end for SIGTERM.

    Otherwise workers whose parent was killed would go on serving, beside those of the parent that is started anew, for
    nobody to stop. In any other process this does nothing.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent.sentinel,), name="end-with-parent", daemon=True).start()


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    for _ in range(ANSWER_SECONDS):  # one alone is lost while the server is being set up
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGKILL)
