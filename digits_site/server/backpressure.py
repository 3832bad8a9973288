"""Backpressure for streams: slow clients are waited for, and stalled ones are disconnected.

daphne buffers without bound whatever a client does not read. A stream with a `WriteGate` is sent nothing more while
64 kB wait in the process (Twisted's bound), so that the viewer's own bounded queue fills and a snapshot replaces it.
A client that reads nothing for VIEWER_STALL_SECONDS is disconnected: by TCP_USER_TIMEOUT if data stays unacknowledged,
otherwise by the gate.
"""

import asyncio
import logging
import socket
from contextlib import suppress
from typing import Any

from django.conf import settings
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

TCP_USER_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux
logger = logging.getLogger(__name__)


@implementer(IPushProducer)
class WriteGate:
    """The producer that Twisted pauses when a transport's buffer is full, and resumes when it is empty."""

    def __init__(self, transport: Any, *, pause_reading: bool = False) -> None:
        """With `pause_reading`, reading from the client pauses too: what it sends would only produce more to write."""
        self.transport, self.pause_reading = transport, pause_reading
        self._open = asyncio.Event()
        self._open.set()
        if TCP_USER_TIMEOUT is not None:
            with suppress(OSError, AttributeError):  # a Unix socket has no such option
                timeout = int(settings.VIEWER_STALL_SECONDS * 1000)
                transport.getHandle().setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, timeout)

    async def wait(self) -> bool:
        """Wait until there is room. Return False if the client was disconnected instead."""
        if self._open.is_set():
            return True
        try:
            await asyncio.wait_for(self._open.wait(), settings.VIEWER_STALL_SECONDS)
        except asyncio.TimeoutError:
            logger.warning("disconnected a viewer that does not read: %s", self.transport.getPeer())
            self.transport.abortConnection()
            return False
        return True

    def pauseProducing(self) -> None:  # noqa: N802 (Twisted's name)
        self._open.clear()
        if self.pause_reading:
            self.transport.pauseProducing()

    def resumeProducing(self) -> None:  # noqa: N802 (Twisted's name)
        self._open.set()
        if self.pause_reading:
            self.transport.resumeProducing()

    def stopProducing(self) -> None:  # noqa: N802 (Twisted's name)
        """Stop waiting: the connection is lost, and daphne drops what is sent from now on."""
        self._open.set()
