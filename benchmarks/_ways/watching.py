"""Two clients that watch a run, as a browser and a page of the original's would; one of them takes the times."""

from __future__ import annotations

import json
import statistics
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from websockets.sync.client import connect

from benchmarks._ways import common
from tests.support.stack import streamed
from training.live.events import ENDINGS

Event = dict[str, Any]
Sample = dict[str, float]  # CPU seconds so far of `training` and of `serving`


class SocketWatcher:
    """Keeps every event with the time it came, and asks for the processes' CPU seconds around each epoch."""

    def __init__(self, url: str, cpu: Callable[[], Sample]) -> None:
        self.events: list[tuple[float, Event]] = []
        self.samples: list[Sample] = []
        self.ended = threading.Event()
        self._cpu = cpu
        self._socket = connect(url)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        try:
            for frame in self._socket:
                self._take(json.loads(frame))
        finally:
            self.ended.set()

    def _take(self, event: Event) -> None:
        arrived = time.time()
        if event["type"] == "epoch" or event.get("phase") == "fitting":
            self.samples.append(self._cpu())  # first, so that what follows the epoch is not in it
        if event["type"] == "epoch":
            common.say(f"epoch {event['epoch']}: {event['seconds']:.2f} s")
        self.events.append((arrived, event))
        if event["type"] in ENDINGS:
            self.ended.set()

    def sent(self, kind: str) -> float | None:
        """When the first event of a kind, or the first one of a phase, was sent; seconds since 1970."""
        found = (e["time"] for _, e in self.events if kind in {e["type"], e.get("phase")})
        return next(found, None)

    def cpu_per_epoch(self, epochs: int) -> list[Sample]:
        """What every epoch took of each; empty when an event was lost, since its sample is missing then."""
        if len(self.samples) != epochs + 1:
            return []
        return [{name: after[name] - before[name] for name in after} for before, after in pairwise(self.samples)]

    def news(self) -> dict[str, float] | None:
        """Batch events as they came: the fewest a second in any epoch, and the gaps within epochs in seconds.

        None when no epoch had three of them.
        """
        times: dict[int, list[float]] = {}
        for arrived, event in self.events:
            if event["type"] == "batch":
                times.setdefault(event["epoch"], []).append(arrived)
        gaps = [[after - before for before, after in pairwise(epoch)] for epoch in times.values() if len(epoch) > 2]
        if not gaps:
            return None
        every = [gap for epoch in gaps for gap in epoch]
        rate = min(len(epoch) / sum(epoch) for epoch in gaps)
        return {"per_second": rate, "median_gap": statistics.median(every), "largest_gap": max(every)}

    def close(self) -> None:
        self._socket.close()


class StreamWatcher:
    """Reads GET /api/progress/ to its end and counts what it is sent."""

    def __init__(self, url: str) -> None:
        self.messages = 0
        self._thread = threading.Thread(target=self._listen, args=(url,), daemon=True)
        self._thread.start()

    def _listen(self, url: str) -> None:
        for _ in streamed(url):
            self.messages += 1

    def finish(self) -> int:
        """How many messages there were, once the stream has ended."""
        self._thread.join(10)
        return self.messages
