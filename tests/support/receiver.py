"""A receiver of webhooks on loopback, which answers as it is told and keeps what it was sent."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from standardwebhooks.webhooks import Webhook


class Received(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes

    def verified(self, secret: str) -> dict[str, Any]:
        """The message, as the convention's own library accepts it."""
        message: dict[str, Any] = Webhook(secret).verify(self.body, self.headers)
        return message


Answer = Callable[[BaseHTTPRequestHandler], None]


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def drip(handler: BaseHTTPRequestHandler) -> None:
    """A header that never ends, one byte at a time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        handler.wfile.write(b"x")
        time.sleep(0.05)


def hang(handler: BaseHTTPRequestHandler) -> None:
    """Nothing, until the client is gone."""
    handler.rfile.read(1)


class Receiver(ThreadingHTTPServer):
    """`answers` are given one after the other, then `usual`."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answers: list[Answer] = []
        self.usual = status(204)
        super().__init__(("127.0.0.1", 0), Handler)
        self.port = self.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"

    def of_type(self, name: str) -> list[Received]:
        return [one for one in self.received if f'"type":"{name}"'.encode() in one.body]

    def speak_tls(self, folder: Path) -> None:
        """With the certificate in the folder."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "fullchain.pem", folder / "privkey.pem")
        self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, *_: object) -> None:
        """Clients that give up are meant."""


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.received.append(Received(self.path, dict(self.headers), body))
        with suppress(OSError):
            (server.answers.pop(0) if server.answers else server.usual)(self)

    def log_message(self, *_: object) -> None:
        """The tests look at what was received."""


@contextmanager
def receiving(tls: Path | None = None) -> Iterator[Receiver]:
    with Receiver() as receiver:
        if tls:
            receiver.speak_tls(tls)
        threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield receiver
        receiver.shutdown()


@pytest.fixture(name="receiver")
def receiver_of_a_test() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def one_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a test that delivers inside its transaction, whose connection must stay open meanwhile."""
    monkeypatch.setattr("digits_site.webhooks.delivering.close_old_connections", lambda: None)
