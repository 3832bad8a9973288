"""daphne's server with backpressure, bounded frames, JSON refusals and a graceful shutdown."""

import asyncio
import logging
import signal
import time
from types import FrameType
from typing import Any

from daphne import server as daphne_server
from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort
from twisted.logger import globalLogBeginner

from digits_site.server.http_protocol import HTTPFactory, WebRequest
from digits_site.server.options import ANSWER_SECONDS
from digits_site.server.ws_protocol import WebSocketFactory, WebSocketProtocol
from digits_site.web.asgi import Message

Protocol = WebRequest | WebSocketProtocol
CLOSE_SECONDS = 1.0  # time for WebSocket clients to answer the close frame
POLL_SECONDS = 0.05
loop = daphne_server.twisted_loop
logger = logging.getLogger(__name__)


class Server(daphne_server.Server):
    """Serve with the protocols of this package.

    `run` replaces daphne's, which names its own protocols and leaves SIGTERM and SIGINT to Twisted. daphne's own
    shutdown cancels every request at once and drops the sockets; this one closes streams properly and answers requests
    in flight.
    """

    ports: list[IListeningPort]
    connections: dict[Protocol, dict[str, Any]]  # each connection's state, as daphne keeps it

    def run(self) -> None:
        """Listen, and serve until a signal ends the process."""
        self.ports, self.connections = [], {}
        self.ws_factory = WebSocketFactory(self, server=self.server_name)
        self.ws_factory.setProtocolOptions(
            autoPingTimeout=self.ping_timeout,
            allowNullOrigin=True,
            openHandshakeTimeout=self.websocket_handshake_timeout,
            maxMessagePayloadSize=self.websocket_max_message_size,
            maxFramePayloadSize=self.websocket_max_frame_size,
            failByDrop=False,  # a client that breaks the protocol receives a close code
        )
        # Without an observer Twisted keeps its log in memory.
        globalLogBeginner.beginLoggingTo([lambda _: None], redirectStandardIO=False, discardBuffer=True)
        asyncio.set_event_loop(loop)
        http_factory = HTTPFactory(self)
        for description in self.endpoints:
            listening = serverFromString(reactor, description).listen(http_factory)
            listening.addCallbacks(self.listen_success, self.listen_error)
        reactor.callLater(1, self.application_checker)
        reactor.callLater(2, self.timeout_checker)
        reactor.addSystemEventTrigger("before", "shutdown", self.kill_all_applications)
        if not self.abort_start:
            signal.signal(signal.SIGTERM, self.handle_signal)
            signal.signal(signal.SIGINT, self.handle_signal)
            reactor.run(installSignalHandlers=False)

    def listen_success(self, port: IListeningPort) -> None:
        self.ports.append(port)
        super().listen_success(port)

    async def handle_reply(self, protocol: Protocol, message: Message) -> None:
        """Pass a message on when the client has room for it. The last message of a stream does not wait."""
        waits = message["type"] == "websocket.send" or message.get("more_body", False)
        if waits and protocol.gate is not None and not await protocol.gate.wait():
            return
        await super().handle_reply(protocol, message)

    def handle_signal(self, number: int, frame: FrameType | None) -> None:
        """Begin the shutdown. A second SIGINT ends the process at once."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # deploy/keep repeats it
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        loop.call_soon_threadsafe(self.shut_down)

    def shut_down(self) -> None:
        """Accept no further connections, and end when nothing is left to wait for."""
        logger.info("shutting down: %s requests in flight", len(self.requests_in_flight()))
        for port in self.ports:
            port.stopListening()
        self.end_streams(time.monotonic())

    def end_streams(self, started: float) -> None:
        """Close the streams, repeat for handshakes that finish late, and stop when every request is answered."""
        for websocket in self.websockets(WebSocketProtocol.STATE_OPEN):
            websocket.restart()
        for request in self.requests_in_flight():
            if request.gate is not None:
                request.finish()  # also tells the application that the client is gone
        waited = time.monotonic() - started
        answering = self.requests_in_flight() and waited < ANSWER_SECONDS
        closing = self.websockets(WebSocketProtocol.STATE_CLOSING) and waited < CLOSE_SECONDS
        if answering or closing:
            loop.call_later(POLL_SECONDS, self.end_streams, started)
        else:
            loop.call_later(POLL_SECONDS, reactor.stop)  # after the last responses are written

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
