"""nginx for `make run-scaled`: on HOST:PORT, in front of granian and daphne, with its files in DATA_DIR/nginx."""

import re
import resource
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management import CommandError

from digits_site.development.address import resolve
from digits_site.development.processes import KEEP, running

TEMPLATES = settings.BASE_DIR / "deploy" / "nginx"
MAX_CONNECTIONS = 8192


def nginx_program() -> str | None:
    """Return the path of nginx, which Debian keeps off an ordinary user's PATH."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/bin")


@contextmanager
def nginx_in_front(web_port: int, streams_port: int) -> Iterator[None]:
    """Run nginx for as long as this block. Raises CommandError if it refuses its configuration."""
    folder = settings.DATA_DIR / "nginx"
    folder.mkdir(exist_ok=True)
    file = folder / "nginx.conf"
    file.write_text(configuration(folder, web_port, streams_port))
    command = [nginx_program() or "nginx", "-p", str(folder), "-c", str(file)]
    tested = subprocess.run([*command, "-t", "-q"], capture_output=True, text=True, check=False)
    if tested.returncode:
        raise CommandError(f"nginx refuses {file}:\n{tested.stderr.strip()}")
    with running([str(KEEP), "--failed-too", *command]):
        yield


def configuration(folder: Path, web_port: int, streams_port: int) -> str:
    """Return deploy/nginx/local.conf.in filled in."""
    family, address = resolve(settings.HOST, settings.PORT)
    values = {
        "FOLDER": folder,
        "DATA_DIR": settings.DATA_DIR,
        "DEPLOY": TEMPLATES,
        "CONNECTIONS": raise_connection_limit(),
        "MAX_BODY_BYTES": settings.MAX_BODY_BYTES,
        "MAX_PICTURE_BYTES": settings.MAX_PICTURE_BYTES,
        "WEB_PORT": web_port,
        "STREAMS_PORT": streams_port,
        "HOSTS": " ".join(f"{host} '';" for host in settings.ALLOWED_HOSTS if host != "*"),
        "FOREIGN": "''" if "*" in settings.ALLOWED_HOSTS else 1,
        "LISTEN": f"[{address[0]}]:{address[1]}" if family == socket.AF_INET6 else f"{address[0]}:{address[1]}",
    }
    return re.sub(r"@([A-Z_]+)@", lambda found: str(values[found[1]]), (TEMPLATES / "local.conf.in").read_text())


def raise_connection_limit() -> int:
    """Raise this process' limit of open files, which nginx and daphne inherit, and return how many nginx may hold."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    connections = MAX_CONNECTIONS if hard == resource.RLIM_INFINITY else min(MAX_CONNECTIONS, hard)
    if soft != resource.RLIM_INFINITY and soft < connections:
        resource.setrlimit(resource.RLIMIT_NOFILE, (connections, hard))
    return connections
