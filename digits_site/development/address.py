"""Where the web server will listen, and whether it answers."""

import http.client
import socket
from typing import Any

from django.conf import settings
from django.core.management import CommandError


def resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
    """Return the first address of a name: a server would listen on every one."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    return family, address[:2]


def refuse_taken_port(host: str, port: int) -> None:
    """Raise CommandError now, rather than leave a traceback in the middle of the servers' output."""
    if not 0 < port < 65536:
        raise CommandError(f"PORT is {port}; a port is a number from 1 to 65535.")
    try:
        family, address = resolve(host, port)
        socket.create_server(address, family=family).close()
    except PermissionError as error:
        raise CommandError(f"Port {port} is not for ordinary users. Choose another: PORT=8001 make run") from error
    except OSError as error:
        other = port + 1 if port < 65535 else 8000
        raise CommandError(
            f"Port {port} on {host} is taken (is this already running?). Choose another: PORT={other} make run"
        ) from error


def answers(host: str, port: int) -> bool:
    """Return whether a web server answers there, with whatever status."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/healthz", headers={"Host": settings.ALLOWED_HOSTS[0].lstrip(".")})
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
