"""The product's data and Redis for one benchmark: migrated, the model that ships installed, static files collected."""

from __future__ import annotations

import contextlib
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.support.stack import Stack


@contextlib.contextmanager
def prepared() -> Iterator[Stack]:
    """In a folder that is thrown away; no web server and no worker runs yet. SIGTERM ends this process in order."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # servers are in sessions of their own
    with tempfile.TemporaryDirectory(prefix="digits-serving-") as folder:
        stack = Stack(Path(folder))
        try:
            stack.start_redis()
            stack.prepare()
            yield stack
        finally:
            stack.close()
