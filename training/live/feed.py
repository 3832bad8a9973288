"""What happens in training, delivered to every viewer of this process without gaps or doubles.

A process joins the channel layer's group once, however many viewers it has. A viewer gets a snapshot from the database
and then live events; whatever the layer loses shows as a gap in `seq`, or within two seconds as a position of the
database that nobody told of, and is mended by a fresh snapshot. A viewer who does not read gets a snapshot, too, when
it reads again: its queue is bounded. News of batches is thinned when the process has many viewers, other news never.
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

from training.live import events
from training.live.coalescing import Shared
from training.live.events import News, Position
from training.live.viewers import Pace, Viewer
from training.models import TrainingRun
from training.serializers import represent

CHECK_SECONDS = 2.0
GRACE_SECONDS = 0.3
JOIN_SECONDS = 1.0
RETRY_SECONDS = 1.0
logger = logging.getLogger(__name__)


@database_sync_to_async
def read_snapshot(run_id: int | None = None) -> News:
    """Of one run, or of the newest. Read again when an event came between its row and its epochs."""
    runs = TrainingRun.objects.with_account()
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


class Feed:
    """The viewers of one event loop, and the task that listens for them."""

    def __init__(self) -> None:
        self._viewers: set[Viewer] = set()
        self._task: asyncio.Task[None] | None = None
        self._joined = asyncio.Event()
        self._pace = Pace()
        self._newest = Shared(read_snapshot)
        self._ended, self._ended_lock = events.snapshot(0, None), asyncio.Lock()
        self._closed = False
        self.database_answers = Shared(database_answers).get

    @property
    def viewers(self) -> int:
        return len(self._viewers)

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
            if not self._joined.is_set():
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._joined.wait(), JOIN_SECONDS)
            yield viewer
        finally:
            self._viewers.discard(viewer)
            if not self._viewers and self._task:
                self._task.cancel()
                self._task = None
                self._joined.clear()

    async def snapshot(self, at_least: Position) -> News:
        """From the database, shared by viewers who fell into the same gap. NOWHERE asks for one read from now on."""
        if at_least == events.NOWHERE:
            return await self._newest.get()
        return await self._newest.get(lambda latest: events.position_of(latest) >= at_least)

    async def ended(self, run: int) -> News:
        """The last snapshot of a run that is no longer the newest: it does not change, so all share it."""
        async with self._ended_lock:
            if events.position_of(self._ended)[0] != run:
                self._ended = await read_snapshot(run)
            return self._ended

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
                self._push(News(message["event"]))
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
            self._push(News(type="position", run=run, seq=seq))

    def _push(self, event: News) -> None:
        if self._pace.admits(event, len(self._viewers)):
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


def viewer_count() -> int:
    """How many WebSockets and event streams this process serves now. May be called in any thread."""
    return sum(each.viewers for each in list(_feeds.values()))


def close_feeds() -> None:
    """To be called in the thread of the event loops; there is one of each in a server."""
    for each in list(_feeds.values()):
        each.close()
