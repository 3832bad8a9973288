"""Where the web server will listen, and whether it answers."""

import http.client
import socket

from django.conf import settings

from digits_site.development.processes import StartError


def refuse_taken_port(host: str, port: int) -> None:
    """Raise StartError now, rather than leave a traceback in the middle of the servers' output."""
    if not 0 < port < 65536:
        raise StartError(f"PORT is {port}; a port is a number from 1 to 65535.")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.create_server(address[:2], family=family):
            pass
    except PermissionError as error:
        raise StartError(f"Port {port} is not for ordinary users. Choose another: PORT=8001 make run") from error
    except OSError as error:
        other = port + 1 if port < 65535 else 8000
        raise StartError(
            f"Port {port} on {host} is taken (is this already running?). Choose another: PORT={other} make run"
        ) from error


def answers(host: str, port: int) -> bool:
    """Return whether a web server answers there, with whatever status."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (compared, not bound)
    connection = http.client.HTTPConnection(reachable, port, timeout=2)
    try:
        connection.request("GET", "/healthz", headers={"Host": settings.ALLOWED_HOSTS[0].lstrip(".")})
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
