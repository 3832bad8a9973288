"""Live streams wait for clients who read slowly, and those who do not read at all are cut.

daphne takes whatever it is given and keeps in memory what a client does not read. Here a WebSocket or an event stream
is sent nothing more while 64 kB wait in the process (Twisted's measure), so its viewer's own bounded queue fills, and
is mended by a snapshot. When nothing has moved for VIEWER_STALL_SECONDS the connection is dropped: by the kernel if the
bytes wait there, else by this process. Under another ASGI server nothing here happens: those wait by themselves.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from django.conf import settings

from digits_site.server.frames import limit_frames

Message = Mapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
MESSAGE_TOO_BIG = 1009  # RFC 6455: what a client who sends more than daphne's options allow is told
TCP_USER_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux
logger = logging.getLogger(__name__)


class Backpressure:
    """An ASGI application whose WebSockets and event streams pass a gate. All other answers go as they went."""

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Callable[..., Any], send: Send) -> None:
        # daphne's `send` is a functools.partial over the Twisted protocol of this client.
        protocol = next(iter(getattr(send, "args", ())), None)
        if hasattr(protocol, "registerProducer"):
            gate = WebSocketGate if scope["type"] == "websocket" else EventStreamGate
            await self.application(scope, receive, gate(protocol, send).send)
        else:
            await self.application(scope, receive, send)


class Gate:
    """Between an application and one client. To Twisted it is the producer that is told to pause and to resume."""

    def __init__(self, protocol: Any, send: Send) -> None:
        self.protocol, self.transport = protocol, protocol.transport
        self._send = send
        self._open = asyncio.Event()
        self._open.set()
        self._stands = False

    async def send(self, message: Message) -> None:
        """Pass a message on, when the client has room for it."""
        if self.closes(message):
            self.remove()
        elif self._stands and not self._open.is_set() and not await self.opened():
            return
        if not self.takes(message):
            return
        await self._send(message)
        if self.begins(message):
            self.stand()

    def begins(self, message: Message) -> bool:
        """Whether a live stream begins with this message."""
        raise NotImplementedError

    def closes(self, message: Message) -> bool:
        """Whether the stream ends with this message, which does not wait."""
        raise NotImplementedError

    def takes(self, message: Message) -> bool:
        """Whether the client is still there for it."""
        return True

    def stand(self) -> None:
        """Ask Twisted to be told when the client has no room, and the kernel to give up a client that takes nothing."""
        self._stands = True
        self.protocol.registerProducer(self, True)
        if TCP_USER_TIMEOUT is not None:
            with suppress(OSError, AttributeError):  # a Unix socket has no such option
                timeout = int(settings.VIEWER_STALL_SECONDS * 1000)
                self.transport.getHandle().setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, timeout)

    def remove(self) -> None:
        if self._stands:
            self.protocol.unregisterProducer()
            self.resumeProducing()
        self._stands = False

    async def opened(self) -> bool:
        """Wait for room. False when the client was cut instead."""
        try:
            await asyncio.wait_for(self._open.wait(), settings.VIEWER_STALL_SECONDS)
        except asyncio.TimeoutError:
            logger.warning("a viewer that does not read was cut: %s", self.transport.getPeer())
            self.transport.abortConnection()
            return False
        return True

    def pauseProducing(self) -> None:  # noqa: N802
        self._open.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self._open.set()

    def stopProducing(self) -> None:  # noqa: N802
        """The connection is lost: daphne drops what is sent from now on."""
        self._open.set()


class WebSocketGate(Gate):
    """A client who does not read is not read from either: its frames would wait for answers that wait for it."""

    def begins(self, message: Message) -> bool:
        return message["type"] == "websocket.accept"

    def closes(self, message: Message) -> bool:
        return message["type"] == "websocket.close"

    def takes(self, message: Message) -> bool:
        """Once goodbye was said, by whichever side, autobahn would raise an error."""
        return message["type"] != "websocket.send" or self.protocol.state == self.protocol.STATE_OPEN

    def stand(self) -> None:
        self.protocol.unregisterProducer()  # of the HTTP connection that this socket has been
        self.protocol.failByDrop = False  # say what was wrong (MESSAGE_TOO_BIG) before hanging up
        limit_frames(self.protocol)
        super().stand()

    def pauseProducing(self) -> None:  # noqa: N802
        super().pauseProducing()
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:  # noqa: N802
        super().resumeProducing()
        self.transport.resumeProducing()


class EventStreamGate(Gate):
    def begins(self, message: Message) -> bool:
        if message["type"] != "http.response.start" or self.protocol.channel is None:
            return False
        return any(name.lower() == b"content-type" and b"event-stream" in value for name, value in message["headers"])

    def closes(self, message: Message) -> bool:
        return message["type"] == "http.response.body" and not message.get("more_body", False)

    def remove(self) -> None:
        if getattr(self.protocol, "channel", None) is not None:  # else the connection is lost, and the gate with it
            super().remove()
