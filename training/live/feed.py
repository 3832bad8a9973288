"""Deliver what happens in training to every viewer of this process, without gaps or duplicates.

A process joins the channel layer's group once, however many viewers it has. A viewer gets a snapshot from the database
and then live events. Whatever the layer loses shows as a gap in `seq`, or within two seconds as a newer position of
the database, and a fresh snapshot closes the gap.
"""

from __future__ import annotations

import asyncio
import logging
import time
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from channels.layers import get_channel_layer
from django.db import Error as AnyDatabaseError
from prometheus_client import Gauge
from redis.exceptions import RedisError

from training.live import events
from training.live.events import Event, LatestPosition, Position, SharedEvent
from training.live.snapshots import CoalescedRead, read_position, read_position_and_model, read_snapshot

CHECK_SECONDS = 2.0
DELIVERY_SECONDS = 0.3  # grace for the event of a row that is still in transit
JOIN_SECONDS = 1.0
RETRY_SECONDS = 1.0
QUEUE_EVENTS = 100
BATCH_MESSAGES_PER_SECOND = 1000  # to all viewers of a process together; a worker sends ten batches a second
logger = logging.getLogger(__name__)
viewers = Gauge("digits_viewers", "WebSockets and event streams that follow training.", multiprocess_mode="livesum")


class Viewer:
    """One socket or event stream: an async iterator of messages, of which the first is a snapshot."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._queue: asyncio.Queue[SharedEvent] = asyncio.Queue(QUEUE_EVENTS)
        self._position: Position | None = None
        self._unfinished_run: int | None = None  # the run whose end this viewer has not seen
        self._model: int | None = None  # in service, as far as this viewer was told
        self._lagging = False

    def push(self, event: SharedEvent) -> None:
        """Queue an event. If the viewer reads too slowly, drop it: a snapshot is then due."""
        if self._position is not None and self._knows(event):
            return  # nothing was missed, as nearly always: not worth a wake-up
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            self._lagging = True

    def _knows(self, event: SharedEvent) -> bool:
        """Return whether the event is the result of a check, and says nothing new to this viewer."""
        if event["type"] == "activated":
            return bool(event["model"] == self._model)
        return event["type"] == "position" and events.position_of(event) <= (self._position or events.NO_POSITION)

    async def __aiter__(self) -> AsyncIterator[SharedEvent]:
        yield self._advance(await self._feed.snapshot(events.NO_POSITION))
        while True:
            event = await self._queue.get()
            if event["type"] == "activated":
                if not self._knows(event):
                    self._model = event["model"]
                    yield event
                continue
            decision = "gap" if self._lagging else events.decide(self._position or events.NO_POSITION, event)
            if decision == "drop" or (decision == "send" and event["type"] == "position"):
                continue
            if decision == "gap":
                self._lagging = False
                event = await self._feed.snapshot(events.position_of(event))
            if self._unfinished_run not in {None, events.position_of(event)[0]}:
                yield self._advance(await self._feed.final_snapshot(self._unfinished_run or 0))  # the end it missed
            yield self._advance(event)

    def _advance(self, message: SharedEvent) -> SharedEvent:
        """Note the viewer's position after this message."""
        self._position = events.position_of(message)
        if message["type"] == "snapshot" or message.get("in_service"):  # or a run has put its model into service
            self._model = message["model"]
        if events.is_ending(message):
            self._unfinished_run = None
        elif self._position != events.NO_POSITION:
            self._unfinished_run = self._position[0]
        return message


class BatchThrottle:
    """Thins batch events, to bound the messages a second to all viewers of a process.

    Up to a hundred viewers get every batch event that the worker sends; a thousand get one a second.
    """

    def __init__(self) -> None:
        self._next_at = 0.0

    def allows(self, event: Event, viewers: int) -> bool:
        """Return whether to pass the event on to that many viewers now; only batches are ever held back."""
        if event["type"] != "batch":
            return True
        now, spacing = time.monotonic(), viewers / BATCH_MESSAGES_PER_SECOND
        if now < self._next_at:
            return False
        self._next_at = max(self._next_at, now - spacing) + spacing  # a late event does not delay the next
        return True


class Feed:
    """The viewers of one event loop, and the task that listens for them."""

    def __init__(self) -> None:
        self._viewers: set[Viewer] = set()
        self._task: asyncio.Task[None] | None = None
        self._joined = asyncio.Event()
        self._throttle = BatchThrottle()
        self._newest = CoalescedRead(read_snapshot)
        self._final, self._final_lock = events.snapshot(0, None), asyncio.Lock()
        self.position = CoalescedRead(read_position).get

    @asynccontextmanager
    async def join(self) -> AsyncIterator[Viewer]:
        """Add a viewer, who misses nothing from here on. Waits at most a second for Redis."""
        viewer = Viewer(self)
        self._viewers.add(viewer)
        viewers.inc()
        if self._task is None or self._task.done():
            self._joined.clear()
            self._task = asyncio.create_task(self._listen())
            self._task.add_done_callback(log_failure)
        try:
            if not self._joined.is_set():
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._joined.wait(), JOIN_SECONDS)
            yield viewer
        finally:
            self._viewers.discard(viewer)
            viewers.dec()
            if not self._viewers and self._task:
                self._task.cancel()
                self._task = None
                self._joined.clear()

    async def snapshot(self, at_least: Position) -> SharedEvent:
        """Return a snapshot at `at_least` or later, shared by viewers with the same gap; NO_POSITION always reads."""
        if at_least == events.NO_POSITION:
            return await self._newest.get()
        return await self._newest.get(lambda latest: events.position_of(latest) >= at_least)

    async def final_snapshot(self, run: int) -> SharedEvent:
        """Return the last snapshot of a run that is no longer the newest: it does not change, so all share it."""
        async with self._final_lock:
            if events.position_of(self._final)[0] != run:
                self._final = await read_snapshot(run)
            return self._final

    async def _listen(self) -> None:
        await asyncio.gather(self._relay(), self._check())

    async def _relay(self) -> None:
        """Pass on the channel layer's events; retry the first join while Redis is away."""
        layer = get_channel_layer()
        while True:
            try:
                channel = await layer.new_channel()
                await layer.group_add(events.GROUP, channel)
                break
            except (RedisError, OSError) as error:
                logger.warning("channel layer away: %s", error)
                await asyncio.sleep(RETRY_SECONDS)
        self._joined.set()
        try:
            while True:
                message = await layer.receive(channel)
                self._push(SharedEvent(message["event"]))
        finally:
            with suppress(RedisError, OSError):
                await layer.group_discard(events.GROUP, channel)

    async def _check(self) -> None:
        """Push what the database says: the position shows a lost event that no later event follows.

        An activation sends no event, as it is rare and happens in any process.
        """
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                (run, seq), model = await read_position_and_model()
            except AnyDatabaseError as error:
                logger.warning("position not read: %s", error)
                continue
            await asyncio.sleep(DELIVERY_SECONDS)
            self._push(SharedEvent(LatestPosition(type="position", run=run, seq=seq)))
            if model is not None:
                self._push(events.activated(model))

    def _push(self, event: SharedEvent) -> None:
        if self._throttle.allows(event, len(self._viewers)):
            for viewer in self._viewers:
                viewer.push(event)


def log_failure(task: asyncio.Task[None]) -> None:
    """Log why the listening task died; viewers get snapshots alone until the next viewer restarts it."""
    if not task.cancelled() and task.exception():
        logger.error("the feed stopped listening", exc_info=task.exception())


_feeds: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Feed] = weakref.WeakKeyDictionary()


def feed() -> Feed:
    """Return the feed of the running event loop: a server has one, each test its own."""
    return _feeds.setdefault(asyncio.get_running_loop(), Feed())
