"""HTTP requests and answers as raw bytes, for requests that no HTTP client would send."""

from __future__ import annotations

import base64
import json
import socket
import time
from dataclasses import asdict, dataclass, field
from http.client import HTTPException, HTTPResponse
from typing import Any

TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Request:
    """As it is sent: header names and values are latin-1, and nothing is added but Host and Content-Length."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    source: str = ""

    def encoded(self, port: int, more: tuple[tuple[str, str], ...] = ()) -> bytes:
        headers = [*self.headers, *more]
        names = {name.lower() for name, _ in headers}
        if "host" not in names:
            headers.insert(0, ("Host", f"127.0.0.1:{port}"))
        if (self.body or self.method == "POST") and not names & {"content-length", "transfer-encoding"}:
            headers.append(("Content-Length", str(len(self.body))))
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        return "\r\n".join([*lines, "\r\n"]).encode("latin-1", "replace") + self.body

    def saved(self) -> str:
        return json.dumps({**asdict(self), "body": base64.b64encode(self.body).decode()})

    @classmethod
    def loaded(cls, text: str) -> Request:
        known: dict[str, Any] = json.loads(text)
        headers = tuple((name, value) for name, value in known.pop("headers"))
        return cls(headers=headers, body=base64.b64decode(known.pop("body")), **known)


@dataclass(frozen=True)
class Answer:
    """`status` is 0 where the server hung up, or did not answer in time: then `body` says which."""

    status: int
    kind: str = ""
    body: bytes = field(default=b"", repr=False)
    seconds: float = 0.0


class Connection:
    """One client, whose connection is kept as long as the server keeps it."""

    def __init__(self, port: int, seconds: float = TIMEOUT_SECONDS) -> None:
        self.port, self.seconds = port, seconds
        self.socket: socket.socket | None = None

    def exchange(self, sent: bytes, method: str = "POST") -> Answer:
        """Send bytes and read one answer; a kept connection that turns out to be closed is opened again, once."""
        kept = self.socket is not None
        began = time.perf_counter()
        try:
            return self._exchange(sent, method, began)
        except (OSError, HTTPException) as error:
            self.close()
            if kept and not isinstance(error, TimeoutError):
                return self.exchange(sent, method)
            return Answer(0, "", f"{type(error).__name__}: {error}".encode(), time.perf_counter() - began)

    def _exchange(self, sent: bytes, method: str, began: float) -> Answer:
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), self.seconds)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(sent)
        response = HTTPResponse(self.socket, method=method)
        response.begin()
        body = response.read()
        answer = Answer(response.status, response.headers.get("Content-Type", ""), body, time.perf_counter() - began)
        if response.will_close:
            self.close()
        return answer

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
        self.socket = None


def send_raw(port: int, request: bytes) -> bytes:
    """Send bytes and return everything that comes back."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as client:
        client.sendall(request)
        return read_all(client)


def read_all(client: socket.socket) -> bytes:
    """Read until the other side closes or resets the connection."""
    received = b""
    try:
        while piece := client.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    return received
