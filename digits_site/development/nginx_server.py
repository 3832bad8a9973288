"""nginx for `make run-scaled`: on HOST:PORT, in front of granian and daphne; all its files are in DATA_DIR/nginx."""

from __future__ import annotations

import re
import resource
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from digits_site.development.errors import StartError
from digits_site.development.redis_server import KEEP, stop_group

TEMPLATES = settings.BASE_DIR / "deploy" / "nginx"
MOST_CONNECTIONS = 8192


def nginx_program() -> str | None:
    """nginx; Debian keeps it where an ordinary user's PATH does not look."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/bin")


@contextmanager
def nginx_in_front(web_port: int, streams_port: int) -> Iterator[None]:
    """nginx for as long as this block. Raises StartError with its words when it does not take its configuration."""
    folder = settings.DATA_DIR / "nginx"
    folder.mkdir(exist_ok=True)
    file = folder / "nginx.conf"
    file.write_text(configuration(folder, web_port, streams_port))
    command = [nginx_program() or "nginx", "-p", str(folder), "-c", str(file)]
    tried = subprocess.run([*command, "-t", "-q"], capture_output=True, text=True, check=False)
    if tried.returncode:
        raise StartError(f"nginx does not take {file}:\n{tried.stderr.strip()}")
    # Its own session: Ctrl-C is for us, and nginx stays while the servers behind it answer what they have in hand.
    process = subprocess.Popen([str(KEEP), "--failed-too", *command], start_new_session=True, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        stop_group(process)


def configuration(folder: Path, web_port: int, streams_port: int) -> str:
    """deploy/nginx/local.conf.in filled in."""
    values = {
        "FOLDER": folder,
        "DATA_DIR": settings.DATA_DIR,
        "DEPLOY": TEMPLATES,
        "CONNECTIONS": connections(),
        "MAX_BODY_BYTES": settings.MAX_BODY_BYTES,
        "WEB_PORT": web_port,
        "STREAMS_PORT": streams_port,
        "HOSTS": " ".join(f"{host} '';" for host in settings.ALLOWED_HOSTS if host != "*"),
        "FOREIGN": "''" if "*" in settings.ALLOWED_HOSTS else 1,
        "LISTEN": listen_address(settings.HOST, settings.PORT),
    }
    return re.sub(r"@([A-Z_]+)@", lambda found: str(values[found[1]]), (TEMPLATES / "local.conf.in").read_text())


def listen_address(host: str, port: int) -> str:
    """One address, as Python resolves it: nginx would listen on every address of a name."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    return f"[{address[0]}]:{port}" if family == socket.AF_INET6 else f"{address[0]}:{port}"


def connections() -> int:
    """Raise this process' limit of open files, which nginx and daphne inherit; how many nginx may hold by it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_CONNECTIONS if hard == resource.RLIM_INFINITY else min(MOST_CONNECTIONS, hard)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most
