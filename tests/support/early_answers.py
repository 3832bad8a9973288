"""Clients that send a whole request before they read, against answers that need no body."""

import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse

TIMEOUT_SECONDS = 20
CHUNK = 16_384


@dataclass(frozen=True)
class Refused:
    """A request that is answered without its body, and the status of that answer."""

    status: int
    path: str = "/api/drawing/"
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = ()

    def encode(self, size: int, *, chunked: bool = False) -> bytes:
        """Return the request with a body of `size` bytes."""
        framing = ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(size))
        headers = {"Host": "127.0.0.1", "Content-Type": "application/json", **dict([framing]), **dict(self.headers)}
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        body = b"".join(chunks(size)) if chunked else b"x" * size
        return "\r\n".join([*lines, "\r\n"]).encode() + body


def chunks(size: int) -> Iterator[bytes]:
    """Yield a body of `size` bytes in the chunked coding."""
    for start in range(0, size, CHUNK):
        length = min(CHUNK, size - start)
        yield b"%x\r\n%s\r\n" % (length, b"x" * length)
    yield b"0\r\n\r\n"


@dataclass
class Outcome:
    """What the clients got: statuses, and why an answer was lost."""

    answered: Counter[int] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)


def send_all(port: int, request: bytes, count: int, *, clients: int, pause: float, kept: bool = False) -> Outcome:
    """Send a request `count` times from `clients` threads.

    Args:
        pause: Seconds between headers and body, as on a slow network.
        kept: Use one connection for many requests, where the server keeps it; else one for each.
    """
    outcome, numbers = Outcome(), iter(range(count))
    with ThreadPoolExecutor(clients) as pool:
        for _ in range(clients):
            pool.submit(_client, port, request, numbers, kept, pause, outcome)
    return outcome


def _client(port: int, request: bytes, numbers: Iterator[int], kept: bool, pause: float, outcome: Outcome) -> None:
    connection: socket.socket | None = None
    for _ in numbers:
        stays = False
        try:
            if connection is None:
                connection = socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            head, end, body = request.partition(b"\r\n\r\n")
            connection.sendall(head + end)
            time.sleep(pause)
            connection.sendall(body)
            response = HTTPResponse(connection)
            response.begin()
            response.read()
        except (OSError, HTTPException) as error:
            outcome.lost[type(error).__name__] += 1
        else:
            outcome.answered[response.status] += 1
            stays = kept and not response.will_close
        if connection is not None and not stays:
            connection.close()
            connection = None
    if connection is not None:
        connection.close()
