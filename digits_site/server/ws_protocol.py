"""daphne's WebSocket protocol with backpressure and a limit on frames of every kind."""

import logging

from daphne import ws_protocol
from django.conf import settings

from digits_site.server.backpressure import WriteGate
from digits_site.server.options import SERVICE_RESTART
from digits_site.web.limits.token_bucket import TOO_MANY_FRAMES, TokenBucket

FRAMES_PER_MESSAGE = 4
logger = logging.getLogger(__name__)


class WebSocketProtocol(ws_protocol.WebSocketProtocol):
    """One WebSocket. Reading from the client pauses while the client does not read."""

    gate: WriteGate | None = None

    def onOpen(self) -> None:  # noqa: N802 (autobahn's name)
        super().onOpen()
        # The consumer counts messages. Pings, pongs and fragments never reach it, and cost as much to parse.
        # A rate of 0 must still allow pong frames.
        self.frames = TokenBucket(max(1.0, FRAMES_PER_MESSAGE * settings.STREAM_FRAMES_PER_SECOND))
        self.unregisterProducer()  # the HTTP connection's producer
        self.gate = WriteGate(self.transport, pause_reading=True)
        self.registerProducer(self.gate, True)

    def onFrameBegin(self) -> None:  # noqa: N802 (autobahn's name)
        """Disconnect a client that sends too many frames: send it 4008, and read no more from it.

        autobahn closes the connection if the client does not answer within a second.
        """
        if not self.frames.consume():
            if self.state == self.STATE_OPEN:
                logger.warning("disconnected a client that sent too many frames: %s", self.transport.getPeer())
                self.sendClose(TOO_MANY_FRAMES)
            self.data = b""  # one read may bring thousands of frames
            self.transport.pauseProducing()
        super().onFrameBegin()

    def serverSend(self, content: str | bytes, binary: bool = False) -> None:  # noqa: N802 (daphne's name)
        """Drop what is sent after either side has sent a close frame: autobahn would raise."""
        if self.state == self.STATE_OPEN:
            super().serverSend(content, binary)

    def serverClose(self, code: int | None = None) -> None:  # noqa: N802 (daphne's name)
        self.release_gate()
        super().serverClose(code)

    def restart(self) -> None:
        """Close with 1012. `serverClose` refuses codes that the RFC reserves for servers."""
        self.release_gate()
        self.sendCloseFrame(code=SERVICE_RESTART, isReply=False)

    def release_gate(self) -> None:
        """Resume reading, to receive the client's close frame."""
        if self.gate is not None:
            self.unregisterProducer()
            self.gate.resumeProducing()


class WebSocketFactory(ws_protocol.WebSocketFactory):
    """daphne's factory with this package's protocol."""

    protocol = WebSocketProtocol
