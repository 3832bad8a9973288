"""daphne's server with backpressure, bounded frames, JSON refusals and a graceful shutdown."""

import asyncio

from daphne import server as daphne_server
from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort
from twisted.logger import globalLogBeginner

from digits_site.server.http_protocol import HTTPFactory
from digits_site.server.shutdown import Connections, GracefulShutdown, Protocol
from digits_site.server.ws_protocol import WebSocketFactory
from digits_site.web.asgi import Message

loop = daphne_server.twisted_loop


class Server(daphne_server.Server):
    """Serve with the protocols of this package.

    `run` replaces daphne's, which names its own protocols and leaves SIGTERM and SIGINT to Twisted.
    """

    ports: list[IListeningPort]
    connections: Connections

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
            GracefulShutdown(self.ports, self.connections, loop, reactor.stop).install()
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
