"""WebSocket /ws/training/: a snapshot, then every event (docs/asyncapi.yaml).

What a client sends is answered, not obeyed. The JSON of an event is made once for all sockets of the process.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error as AnyDatabaseError

from training.feed import feed

TALKS_TOO_MUCH, TRY_AGAIN_LATER = 4008, 4013  # autobahn sends no other codes than 1000 and 3000-4999
FRAMES_A_MINUTE = 20
logger = logging.getLogger(__name__)


class TrainingConsumer(AsyncWebsocketConsumer):
    channel_layer_alias = "none"  # the feed joins the group, once a process

    async def connect(self) -> None:
        self.minute, self.frames = 0, 0
        await self.accept()
        self.sending = asyncio.create_task(self.send_events())

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
        minute = int(time.monotonic() // 60)
        self.frames = self.frames + 1 if minute == self.minute else 1
        self.minute = minute
        if self.frames > FRAMES_A_MINUTE:
            await self.close(TALKS_TOO_MUCH)
            return
        await self.send(json.dumps(answer(text_data)))


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
