"""How many frames a WebSocket's client may send, of every kind.

The consumer counts messages. Pings, pongs and pieces of messages never reach it, and cost daphne as much.
"""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings

from digits_site.web.limits.token_bucket import TOO_MANY_FRAMES, TokenBucket

FRAMES_A_MESSAGE = 4
logger = logging.getLogger(__name__)


def limit_frames(protocol: Any) -> None:
    """Cut the client of this socket (daphne's protocol, which is autobahn's) once it sends too many.

    It is told 4008, and not read any more; autobahn hangs up when it does not say goodbye within a second.
    """
    rate = max(1.0, FRAMES_A_MESSAGE * settings.STREAM_FRAMES_PER_SECOND)  # who may say nothing must answer our pings
    bucket, begin = TokenBucket(rate), protocol.onFrameBegin

    def counted() -> None:
        if bucket.consume():
            begin()
            return
        if protocol.state == protocol.STATE_OPEN:
            logger.warning("a client that sends frame after frame was cut: %s", protocol.transport.getPeer())
            protocol.sendClose(TOO_MANY_FRAMES)
        protocol.data = b""  # thousands may be waiting in what was read at once
        protocol.transport.pauseProducing()
        begin()

    protocol.onFrameBegin = counted
