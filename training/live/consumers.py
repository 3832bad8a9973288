"""WebSocket /ws/training/: a snapshot, then every event (docs/asyncapi.yaml).

What a client sends is answered, not obeyed. The JSON of an event is made once for all sockets of the process.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import Error as AnyDatabaseError

from digits_site.observability.metrics import count_refusal
from digits_site.web.limits.stream_slots import GRANTED, slot_of
from digits_site.web.limits.token_bucket import BURST_SECONDS, TOO_MANY_FRAMES, TokenBucket
from training.live.feed import feed

TRY_AGAIN_LATER, TOO_MANY_STREAMS = 4013, 4029  # autobahn sends no other codes than 1000 and 3000-4999
PINGS_PER_SECOND = 1 / BURST_SECONDS  # at any limit: a client must be able to ask whether the connection still works
logger = logging.getLogger(__name__)


class TrainingConsumer(AsyncWebsocketConsumer):
    channel_layer_alias = "none"  # the feed joins the group, once a process

    async def connect(self) -> None:
        """A socket too many is opened all the same: of a handshake that fails, a browser's page is not told why."""
        self.frames, self.cut = TokenBucket(max(settings.STREAM_FRAMES_PER_SECOND, PINGS_PER_SECOND)), False
        await self.accept()
        if slot_of(self.scope) == GRANTED:
            self.sending = asyncio.create_task(self.send_events())
        else:
            count_refusal("too_many_streams")
            self.cut = True
            await self.close(TOO_MANY_STREAMS)

    async def send_events(self) -> None:
        try:
            async with feed().join() as viewer:
                async for event in viewer:
                    await self.send(event.text)
        except AnyDatabaseError as error:
            logger.error("stream closed, database away: %s", error)
            await self.close(TRY_AGAIN_LATER)

    async def disconnect(self, code: int) -> None:
        if hasattr(self, "sending"):
            self.sending.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Nothing is understood here but `{"type": "ping"}`; a client that goes on talking is cut (4008)."""
        if self.cut:
            return
        if self.frames.consume():
            await self.send(json.dumps(answer(text_data)))
        else:
            self.cut = True
            await self.close(TOO_MANY_FRAMES)


def answer(text: str | None) -> dict[str, Any]:
    """The frame that answers a client's frame."""
    try:
        message = json.loads(text or "")
    except (ValueError, RecursionError):
        return {"type": "error_frame", "code": "invalid_json", "message": "Frames are JSON text."}
    if isinstance(message, dict) and message.get("type") == "ping":
        return {"type": "pong"}
    return {"type": "error_frame", "code": "unknown_type", "message": 'The only message here is {"type": "ping"}.'}


class UnknownPathConsumer(AsyncWebsocketConsumer):
    """Refuses the handshake of every other path."""

    channel_layer_alias = "none"

    async def connect(self) -> None:
        await self.close()
