"""The memory of processes, ten times a second."""

import threading
from collections.abc import Callable
from contextlib import suppress

import psutil


class Weight(threading.Thread):
    """Megabytes resident in processes that come and go; pages that several share count in each of them."""

    def __init__(self, processes: Callable[[], list[psutil.Process]]) -> None:
        super().__init__(daemon=True)
        self.processes, self.over = processes, threading.Event()
        self.seen = [self.now()]
        self.start()

    def now(self) -> float:
        total = 0
        for process in self.processes():
            with suppress(psutil.Error):
                total += process.memory_info().rss
        return total / 1e6

    def run(self) -> None:
        while not self.over.wait(0.1):
            self.seen.append(self.now())

    def peak(self) -> float:
        """The most since it was made; stops looking."""
        self.over.set()
        self.join()
        return max(self.seen)
