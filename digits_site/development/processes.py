"""The Procfile's processes under honcho, until somebody stops them or one of them ends."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from honcho.environ import parse_procfile
from honcho.manager import Manager
from honcho.printer import Message, Printer


class Narrator(Printer):
    """honcho's output; notices when all have been started, and which process ended first."""

    def __init__(self, expected: int, on_started: Callable[[], None]) -> None:
        super().__init__(sys.stdout)
        self.missing = expected
        self.on_started = on_started
        self.first_ended = ""

    def write(self, message: Message) -> None:
        super().write(message)
        if message.name != "system":
            return
        if re.match(r"\S+ started ", message.data):
            self.missing -= 1
            if self.missing == 0:
                self.on_started()
        elif not self.first_ended and (ended := re.match(r"(\S+) stopped \(rc=(-?\d+)\)", message.data)):
            self.first_ended = f"{ended[1]} ended by itself (status {ended[2]})"


class Processes(Manager):
    """honcho's manager, which may also be asked to stop while it is still starting."""

    def terminate(self) -> None:
        # honcho signals processes by pid, and learns a pid a moment after the start: ask again then.
        if self._all_started():
            super().terminate()
        else:
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()


def child_environment(url: str) -> dict[str, str]:
    """What the processes of the Procfile get: this interpreter's programs first, and where Redis is."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    own = {"HOST": settings.HOST, "PORT": str(settings.PORT), "REDIS_URL": url, "PYTHONUNBUFFERED": "1"}
    # Celery warns root at length; a container or a throw-away machine has nobody else.
    own["PYTHONWARNINGS"] = "ignore:You're running the worker with superuser privileges"
    return {**os.environ, "PATH": path, **own}


def run_processes(environment: dict[str, str], on_started: Callable[[], None], procfile: str = "Procfile") -> str:
    """Run a Procfile until somebody stops it; the answer says which process ended by itself, if one did."""
    commands = parse_procfile((settings.BASE_DIR / procfile).read_text()).processes
    narrator = Narrator(len(commands), on_started)
    manager = Processes(narrator)
    for name, command in commands.items():
        manager.add_process(name, command, env=environment, cwd=str(settings.BASE_DIR))
    # A closed terminal is a wish to stop as well.
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    manager.loop()
    asked_to_stop = manager.returncode in (128 + signal.SIGINT, 128 + signal.SIGTERM)
    return "" if asked_to_stop else narrator.first_ended
