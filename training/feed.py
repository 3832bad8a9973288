"""What happens in training, delivered to every viewer of this process without gaps or doubles.

A process joins the channel layer's group once, however many viewers it has. A viewer gets a snapshot from the database
and then live events; whatever the layer loses shows as a gap in `seq`, or within two seconds as a position of the
database that nobody told of, and is mended by a fresh snapshot. A viewer who does not read gets a snapshot, too, when
it reads again: its queue is bounded.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.db import Error as AnyDatabaseError
from redis.exceptions import RedisError

from training import events
from training.events import Event, Position
from training.models import TrainingRun
from training.serializers import represent

QUEUE_EVENTS = 100
CHECK_SECONDS = 2.0
GRACE_SECONDS = 0.3
JOIN_SECONDS = 1.0
RETRY_SECONDS = 1.0
logger = logging.getLogger(__name__)


@database_sync_to_async
def read_snapshot(run_id: int | None = None) -> Event:
    """Of one run, or of the newest. Read again when an event came between its row and its epochs."""
    runs = TrainingRun.objects.with_epochs()
    while run := runs.newest() if run_id is None else runs.filter(pk=run_id).first():
        message = events.snapshot(run.seq, represent(run))
        if TrainingRun.objects.filter(pk=run.pk, seq=run.seq).exists():
            return message
    return events.snapshot(0, None)


@database_sync_to_async
def read_position() -> Position:
    run = TrainingRun.objects.only("pk", "seq").newest()
    return (run.pk, run.seq) if run else events.NOWHERE


@database_sync_to_async
def database_answers() -> bool:
    try:
        TrainingRun.objects.exists()
    except AnyDatabaseError:
        return False
    return True


class Viewer:
    """One socket or event stream: an async iterator of messages, the first of them a snapshot."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue(QUEUE_EVENTS)
        self._here: Position | None = None
        self._unfinished: int | None = None  # the run whose end this viewer has yet to see
        self._lagging = False

    def push(self, event: Event) -> None:
        """Called for every event. When the queue is full the news is dropped and a snapshot is due."""
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            self._lagging = True

    def close(self) -> None:
        """Nothing more is to come: the iteration ends after the message it is at."""
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._messages()

    async def _messages(self) -> AsyncIterator[Event]:
        yield self._at(await self._feed.snapshot(events.NOWHERE))
        while True:
            event = await self._queue.get()
            if event is None:
                return
            verdict = "gap" if self._lagging else events.verdict(self._here or events.NOWHERE, event)
            if verdict == "drop" or (verdict == "send" and event["type"] == "position"):
                continue
            if verdict == "gap":
                self._lagging = False
                event = await self._feed.snapshot(events.position_of(event))
            if self._unfinished not in {None, events.position_of(event)[0]}:
                yield self._at(await read_snapshot(self._unfinished))  # what was missed of a run that has ended
            yield self._at(event)

    def _at(self, message: Event) -> Event:
        """Note where the viewer stands after this message."""
        self._here = events.position_of(message)
        if events.is_ending(message):
            self._unfinished = None
        elif self._here != events.NOWHERE:
            self._unfinished = self._here[0]
        return message


class Feed:
    """The viewers of one event loop, and the task that listens for them."""

    def __init__(self) -> None:
        self._viewers: set[Viewer] = set()
        self._task: asyncio.Task[None] | None = None
        self._joined = asyncio.Event()
        self._lock = asyncio.Lock()
        self._latest: Event = events.snapshot(0, None)
        self._closed = False

    def close(self) -> None:
        """This process is about to end: so does every viewer, and who joins from now on gets a snapshot alone."""
        self._closed = True
        for viewer in self._viewers:
            viewer.close()

    @asynccontextmanager
    async def join(self) -> AsyncIterator[Viewer]:
        """A viewer who misses nothing from here on. Does not wait for a Redis that is away."""
        viewer = Viewer(self)
        self._viewers.add(viewer)
        if self._closed:
            viewer.close()
        if self._task is None or self._task.done():
            self._joined.clear()
            self._task = asyncio.create_task(self._listen())
            self._task.add_done_callback(report_death)
        try:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._joined.wait(), JOIN_SECONDS)
            yield viewer
        finally:
            self._viewers.discard(viewer)
            if not self._viewers and self._task:
                self._task.cancel()
                self._task = None
                self._joined.clear()

    async def snapshot(self, at_least: Position) -> Event:
        """From the database; viewers who fell into the same gap share one reading. NOWHERE asks for a new one."""
        async with self._lock:
            if at_least == events.NOWHERE or events.position_of(self._latest) < at_least:
                self._latest = await read_snapshot()
            return self._latest

    async def _listen(self) -> None:
        await asyncio.gather(self._relay(), self._check())

    async def _relay(self) -> None:
        """Pass on what the channel layer brings; join again when Redis was away at the first try."""
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
                self._push(message["event"])
        finally:
            with suppress(RedisError, OSError):
                await layer.group_discard(events.GROUP, channel)

    async def _check(self) -> None:
        """What the layer lost without a later event to show the gap: ask the database where things stand."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                run, seq = await read_position()
            except AnyDatabaseError as error:
                logger.warning("position not read: %s", error)
                continue
            await asyncio.sleep(GRACE_SECONDS)  # the news of a row written this moment is still on its way
            self._push({"type": "position", "run": run, "seq": seq})

    def _push(self, event: Event) -> None:
        for viewer in self._viewers:
            viewer.push(event)


def report_death(task: asyncio.Task[None]) -> None:
    """Viewers then live on snapshots until the next one joins and starts the task anew: it must be known."""
    if not task.cancelled() and task.exception():
        logger.error("the feed stopped listening", exc_info=task.exception())


_feeds: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Feed] = weakref.WeakKeyDictionary()


def feed() -> Feed:
    """The feed of the running event loop: one in a server, one in each test."""
    return _feeds.setdefault(asyncio.get_running_loop(), Feed())


def close_feeds() -> None:
    """To be called in the thread of the event loops; there is one of each in a server."""
    for each in list(_feeds.values()):
        each.close()


def viewer_count() -> int:
    """WebSockets and event streams of this process; may be called in any thread."""
    return sum(len(each._viewers) for each in list(_feeds.values()))
