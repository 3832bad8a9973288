"""The processes of a Procfile under honcho, and the servers that they need, each for as long as a block."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from honcho.environ import parse_procfile
from honcho.manager import Manager

KEEP = settings.BASE_DIR / "deploy" / "keep"


class Processes(Manager):
    """honcho's manager, which can also be asked to stop while it is still starting."""

    def terminate(self) -> None:
        # honcho signals processes by pid, and learns a pid a moment after the start: ask again then.
        if self._all_started():
            super().terminate()
        else:
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()


def child_environment(redis_url: str) -> dict[str, str]:
    """Return the environment of the processes: this interpreter's programs first, and Redis' URL."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    own = {"HOST": settings.HOST, "PORT": str(settings.PORT), "REDIS_URL": redis_url, "PYTHONUNBUFFERED": "1"}
    # Celery warns root at length; a container or a throw-away machine has nobody else.
    own["PYTHONWARNINGS"] = "ignore:You're running the worker with superuser privileges"
    return {**os.environ, "PATH": path, **own}


def run_processes(environment: dict[str, str], procfile: str) -> bool:
    """Run a Procfile until somebody stops it. Return False if a process ended by itself, which honcho names."""
    manager = Processes()
    for name, command in parse_procfile((settings.BASE_DIR / procfile).read_text()).processes.items():
        manager.add_process(name, command, env=environment, cwd=str(settings.BASE_DIR))
    # A closed terminal is a wish to stop as well.
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    manager.loop()
    return manager.returncode in (128 + signal.SIGINT, 128 + signal.SIGTERM)


@contextmanager
def running(
    command: Sequence[str], *, end: signal.Signals = signal.SIGTERM, patience: float = 3, **options: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends: then it and its children get `end`, and after `patience` seconds SIGKILL.

    In a session of its own: Ctrl-C is for the launcher, and the servers end last, when nobody needs them any more.
    """
    process = subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        for number in (end, signal.SIGKILL):
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(process.pid, number)
                process.wait(timeout=patience)
                break


def wait_for(
    ask: Callable[[], object], seconds: float, *away: type[Exception], process: subprocess.Popen[bytes] | None = None
) -> None:
    """Call `ask` until it raises none of `away`. Raise it when the time is over or the process has ended."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            ask()
            return
        except away:
            if time.monotonic() > deadline or (process and process.poll() is not None):
                raise
            time.sleep(0.05)


def free_port() -> int:
    """Return a port of loopback that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def keep_private(file: Path) -> None:
    """Make a file that only its owner may read, or take it from others. SQLite gives its side files the same mode."""
    file.touch(mode=0o600)
    file.chmod(0o600)
