"""The processes of a Procfile under honcho, and what it takes to start and stop a process."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from django.conf import settings
from honcho.environ import parse_procfile
from honcho.manager import Manager

KEEP = settings.BASE_DIR / "deploy" / "keep"


class StartError(Exception):
    """Why nothing can be started, in words for the person at the terminal."""


class Processes(Manager):
    """honcho's manager, which can also be asked to stop while it is still starting."""

    def terminate(self) -> None:
        # honcho signals processes by pid, and learns a pid a moment after the start: ask again then.
        if self._all_started():
            super().terminate()
        else:
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()


def child_environment(url: str) -> dict[str, str]:
    """Return the environment of the processes: this interpreter's programs first, and Redis' URL."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    own = {"HOST": settings.HOST, "PORT": str(settings.PORT), "REDIS_URL": url, "PYTHONUNBUFFERED": "1"}
    # Celery warns root at length; a container or a throw-away machine has nobody else.
    own["PYTHONWARNINGS"] = "ignore:You're running the worker with superuser privileges"
    return {**os.environ, "PATH": path, **own}


def run_processes(environment: dict[str, str], procfile: str = "Procfile") -> bool:
    """Run a Procfile until somebody stops it. Return False if a process ended by itself, which honcho names."""
    manager = Processes()
    for name, command in parse_procfile((settings.BASE_DIR / procfile).read_text()).processes.items():
        manager.add_process(name, command, env=environment, cwd=str(settings.BASE_DIR))
    # A closed terminal is a wish to stop as well.
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    manager.loop()
    return manager.returncode in (128 + signal.SIGINT, 128 + signal.SIGTERM)


def stop_group(process: subprocess.Popen[bytes], first: signal.Signals = signal.SIGTERM, patience: float = 3) -> None:
    """End a process and its children with a signal, and after `patience` seconds with SIGKILL."""
    for number in (first, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=patience)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def free_port() -> int:
    """Return a port of loopback that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def keep_private(file: Path) -> None:
    """Make a file that only its owner may read, or take it from others. SQLite gives its side files the same mode."""
    file.touch(mode=0o600)
    file.chmod(0o600)
