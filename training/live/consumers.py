"""WebSocket /ws/training/: a snapshot, then every event (docs/asyncapi.yaml). Clients may send pings."""

import asyncio
import json
import logging

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.urls import path, re_path

from digits_site.observability.metrics import count_refusal
from digits_site.web.limits.token_bucket import BURST_SECONDS, TOO_MANY_FRAMES, TokenBucket
from training.live.events import ErrorFrame, Pong, Reply
from training.live.feed import feed

TRY_AGAIN_LATER, TOO_MANY_STREAMS = 4013, 4029  # autobahn sends no other codes than 1000 and 3000-4999
PINGS_PER_SECOND = 1 / BURST_SECONDS  # at any limit: a client must be able to check the connection
logger = logging.getLogger(__name__)


class TrainingConsumer(AsyncWebsocketConsumer):
    channel_layer_alias = "none"  # the feed joins the group, once a process

    async def connect(self) -> None:
        """Accept even without a free slot: a page learns the close code, but never why a handshake failed."""
        self.frames, self.closed = TokenBucket(max(settings.STREAM_FRAMES_PER_SECOND, PINGS_PER_SECOND)), False
        await self.accept()
        if self.scope.get("stream_refusal") is None:  # set by StreamSlots
            self.sending = asyncio.create_task(self.send_events())
        else:
            count_refusal("too_many_streams")
            self.closed = True
            await self.close(TOO_MANY_STREAMS)

    async def send_events(self) -> None:
        """Send the feed's messages until the socket closes or the database goes away (4013)."""
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
        """Reply to a client's frame; close the socket of a client that sends too many (4008)."""
        if self.closed:
            return
        if self.frames.consume():
            await self.send(json.dumps(reply_to(text_data)))
        else:
            self.closed = True
            await self.close(TOO_MANY_FRAMES)


def reply_to(text: str | None) -> Reply:
    """Return the frame that answers a client's frame."""
    try:
        message = json.loads(text or "")
    except (ValueError, RecursionError):
        return ErrorFrame(type="error_frame", code="invalid_json", message="Send frames of JSON text.")
    if isinstance(message, dict) and message.get("type") == "ping":
        return Pong(type="pong")
    return ErrorFrame(type="error_frame", code="unknown_type", message='Send {"type": "ping"} or nothing.')


class UnknownPathConsumer(AsyncWebsocketConsumer):
    """Refuses the handshake of every other path."""

    channel_layer_alias = "none"

    async def connect(self) -> None:
        await self.close()


websocket_urlpatterns = [
    path("ws/training/", TrainingConsumer.as_asgi()),
    re_path("", UnknownPathConsumer.as_asgi()),
]
