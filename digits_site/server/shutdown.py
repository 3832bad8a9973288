"""How the web process ends when it is told to: streams are closed, requests in flight get their answers.

daphne's own way cancels every request at once and drops the sockets. Under another ASGI server nothing here happens:
there the server does it.
"""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from types import FrameType
from typing import Any

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

SERVICE_RESTART = 1012  # RFC 6455's registry of close codes
ANSWER_SECONDS = 8.0  # for requests in flight
GOODBYE_SECONDS = 1.0  # for WebSocket clients to answer the close frame
LOOK_SECONDS = 0.05
logger = logging.getLogger(__name__)


class InFlight:
    """An ASGI application that knows how many of its requests have not been answered."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.requests += 1
        try:
            await self.application(scope, receive, send)
        finally:
            self.requests -= 1


def end_gracefully(http: InFlight, close_streams: Callable[[], None]) -> None:
    """Take over SIGTERM and SIGINT from daphne, if it is the server that imports the application."""
    if "daphne.server" not in sys.modules or "twisted.internet.reactor" not in sys.modules:
        return
    from twisted.internet import reactor

    reactor.callWhenRunning(Ending(reactor, http, close_streams).listen)


class Ending:
    """The last seconds of a web process. A second Ctrl-C ends it there and then."""

    def __init__(self, reactor: Any, http: InFlight, close_streams: Callable[[], None]) -> None:
        self.reactor, self.http, self.close_streams = reactor, http, close_streams
        self.theirs: dict[int, Any] = {}
        self.began = 0.0

    def listen(self) -> None:
        """After Twisted has set its own handlers."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self.theirs[number] = signal.getsignal(number)
            signal.signal(number, self.heard)

    def heard(self, number: int, frame: FrameType | None) -> None:
        """Again, SIGTERM says nothing new: deploy/keep repeats it. SIGINT says that somebody will not wait."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        self.reactor.callFromThread(self.begin, number, frame)

    def begin(self, number: int, frame: FrameType | None) -> None:
        """Take no further connections, end the streams, and wait for what is in flight."""
        self.began = time.monotonic()
        logger.info("ending: %s requests in flight", self.http.requests)
        self.close_streams()
        for reader in self.reactor.getReaders():
            if hasattr(reader, "stopListening"):
                reader.stopListening()
        for protocol in self.websockets():
            # serverClose() refuses the codes that RFC 6455 keeps for servers; this is what it calls.
            protocol.sendCloseFrame(code=SERVICE_RESTART, isReply=False)
        self.wait(number, frame)

    def wait(self, number: int, frame: FrameType | None) -> None:
        waited = time.monotonic() - self.began
        in_flight = self.http.requests and waited < ANSWER_SECONDS
        goodbyes = self.websockets(closing=True) and waited < GOODBYE_SECONDS
        if in_flight or goodbyes:
            self.reactor.callLater(LOOK_SECONDS, self.wait, number, frame)
        else:  # what was answered is sent before: the loop writes between two turns
            self.reactor.callLater(LOOK_SECONDS, self.theirs[number], number, frame)

    def websockets(self, closing: bool = False) -> list[Any]:
        """The protocols of open WebSockets, or of those that have not yet said goodbye either."""
        transports = [getattr(reader, "protocol", None) for reader in self.reactor.getReaders()]
        sockets: list[Any] = [protocol for protocol in transports if hasattr(protocol, "sendCloseFrame")]
        return [s for s in sockets if s.state == s.STATE_OPEN or (closing and s.state == s.STATE_CLOSING)]
