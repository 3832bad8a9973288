"""One viewer of training, and how much of the news that may be thinned all viewers of a process get together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Protocol

from training.live import events
from training.live.events import Event, News, Position

QUEUE_EVENTS = 100
BATCH_MESSAGES_A_SECOND = 1000  # of all viewers of a process together; the worker tells of ten batches a second


class Snapshots(Protocol):
    """Where viewers get what they cannot get from events."""

    async def snapshot(self, at_least: Position) -> News: ...

    async def ended(self, run: int) -> News: ...


class Viewer:
    """One socket or event stream: an async iterator of messages, the first of them a snapshot."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self._queue: asyncio.Queue[News | None] = asyncio.Queue(QUEUE_EVENTS)
        self._here: Position | None = None
        self._unfinished: int | None = None  # the run whose end this viewer has yet to see
        self._lagging = False

    def push(self, event: News) -> None:
        """Called for every event. When the queue is full the news is dropped and a snapshot is due."""
        if event["type"] == "position" and self._here is not None and events.position_of(event) <= self._here:
            return  # nothing was missed, as nearly always: not worth waking up for
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            self._lagging = True

    def close(self) -> None:
        """Nothing more is to come: the iteration ends after the message it is at."""
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    def __aiter__(self) -> AsyncIterator[News]:
        return self._messages()

    async def _messages(self) -> AsyncIterator[News]:
        yield self._at(await self._snapshots.snapshot(events.NOWHERE))
        while True:
            event = await self._queue.get()
            if event is None:
                return
            verdict = "gap" if self._lagging else events.verdict(self._here or events.NOWHERE, event)
            if verdict == "drop" or (verdict == "send" and event["type"] == "position"):
                continue
            if verdict == "gap":
                self._lagging = False
                event = await self._snapshots.snapshot(events.position_of(event))
            if self._unfinished not in {None, events.position_of(event)[0]}:
                yield self._at(await self._snapshots.ended(self._unfinished or 0))  # what was missed of it
            yield self._at(event)

    def _at(self, message: News) -> News:
        """Note where the viewer stands after this message."""
        self._here = events.position_of(message)
        if events.is_ending(message):
            self._unfinished = None
        elif self._here != events.NOWHERE:
            self._unfinished = self._here[0]
        return message


class Pace:
    """Which news of batches is passed on: a share that keeps the messages a second of all viewers below a bound.

    Up to a hundred viewers get every one that the worker tells; a thousand get one a second. Other events pass always.
    """

    def __init__(self) -> None:
        self._due = 0.0

    def admits(self, event: Event, viewers: int) -> bool:
        """Whether this event is passed on to that many viewers now."""
        if event["type"] != "batch":
            return True
        now, spacing = time.monotonic(), viewers / BATCH_MESSAGES_A_SECOND
        if now < self._due:
            return False
        self._due = max(self._due, now - spacing) + spacing  # what came late does not delay the next
        return True
