"""Graceful shutdown: streams are closed properly, and requests in flight are answered.

daphne's own shutdown cancels every request at once and drops the sockets.
"""

import asyncio
import logging
import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from twisted.internet.interfaces import IListeningPort

from digits_site.server.http_protocol import WebRequest
from digits_site.server.ws_protocol import WebSocketProtocol

Protocol = WebRequest | WebSocketProtocol
Connections = dict[Protocol, dict[str, Any]]  # daphne's details of each
ANSWER_SECONDS = 8.0  # for requests in flight
CLOSE_SECONDS = 1.0  # for WebSocket clients to answer the close frame
POLL_SECONDS = 0.05
logger = logging.getLogger(__name__)


class GracefulShutdown:
    """The last seconds of the process, from the first SIGTERM or SIGINT on. A second SIGINT ends it at once."""

    def __init__(
        self,
        ports: list[IListeningPort],
        connections: Connections,
        loop: asyncio.AbstractEventLoop,
        stop: Callable[[], None],
    ) -> None:
        self.ports, self.connections, self.loop, self.stop = ports, connections, loop, stop
        self.started = 0.0

    def install(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.handle_signal)

    def handle_signal(self, number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # deploy/keep repeats it
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        self.loop.call_soon_threadsafe(self.begin)

    def begin(self) -> None:
        """Accept no further connections."""
        self.started = time.monotonic()
        logger.info("shutting down: %s requests in flight", len(self.requests_in_flight()))
        for port in self.ports:
            port.stopListening()
        self.poll()

    def poll(self) -> None:
        """End the streams, those of late handshakes too, and stop when nothing is left to wait for."""
        for websocket in self.websockets(WebSocketProtocol.STATE_OPEN):
            websocket.restart()
        for request in self.requests_in_flight():
            if request.gate is not None:
                request.finish()  # also tells the application that the client is gone
        waited = time.monotonic() - self.started
        answering = self.requests_in_flight() and waited < ANSWER_SECONDS
        closing = self.websockets(WebSocketProtocol.STATE_CLOSING) and waited < CLOSE_SECONDS
        # The last poll leaves the loop time to write what has just been answered.
        self.loop.call_later(POLL_SECONDS, self.poll if answering or closing else self.stop)

    def websockets(self, state: int) -> list[WebSocketProtocol]:
        """Return the WebSockets in one of autobahn's states."""
        return [one for one in self.connections if isinstance(one, WebSocketProtocol) and one.state == state]

    def requests_in_flight(self) -> list[WebRequest]:
        """Return the requests whose response is not complete, event streams included."""
        return [
            one
            for one, details in self.connections.items()
            if isinstance(one, WebRequest) and "application_instance" in details and "disconnected" not in details
        ]
