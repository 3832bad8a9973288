"""What is done to the processes, at random moments that a seed decides."""

import random
import signal
import threading
import time
from collections import Counter

import psutil

from tests.campaigns.storm.cluster import WEBS, WORKERS, Cluster
from tests.campaigns.storm.history import History

# How often each kind comes: (what, whom, weight).
KINDS = (
    ("kill", "web", 12),
    ("kill", "worker", 8),
    ("kill", "redis", 8),
    ("kill", "child", 10),
    ("pause", "web", 8),
    ("pause", "worker", 8),
    ("pause", "redis", 6),
    ("pause", "child", 8),
    ("long pause", "worker", 10),
    ("flushall", "redis", 16),
    ("restart", "redis", 8),
    ("restart", "web", 4),
    ("restart", "worker", 4),
)
GAP_SECONDS = (0.3, 4.5)
PAUSE_SECONDS = (0.5, 6.0)
LONG_PAUSE_SECONDS = (17.0, 24.0)  # longer than a run goes without a heartbeat before it is taken from its worker
AWAY_SECONDS = (0.0, 3.0)  # until a supervisor has started a process again


class Storm:
    """Faults in their order; what a fault needs to heal happens on a timer of its own."""

    def __init__(self, cluster: Cluster, history: History, seed: int) -> None:
        self.cluster, self.history, self.rng = cluster, history, random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.busy: set[str] = set()  # being hit, or being healed
        self.healing: list[threading.Thread] = []

    def blow(self, faults: int) -> None:
        """So many faults. One that finds nothing to hit is not counted, and another is chosen."""
        weights = [weight for _, _, weight in KINDS]
        while self.counts.total() < faults:
            time.sleep(self.rng.uniform(*GAP_SECONDS))
            what, whom, _ = self.rng.choices(KINDS, weights)[0]
            if self.hit(what, whom):
                self.counts[f"{what} {whom}"] += 1

    def hit(self, what: str, whom: str) -> bool:
        seconds = self.rng.uniform(*{"pause": PAUSE_SECONDS, "long pause": LONG_PAUSE_SECONDS}.get(what, AWAY_SECONDS))
        if what == "flushall":
            self.history.add("fault", what=what, whom=whom)
            return self.cluster.flush_redis()
        if whom == "child":
            return self.hit_child(what, seconds)
        name = self.choose(whom, needs_run=what == "long pause")
        if name is None or name in self.busy:
            return False
        self.history.add("fault", what=what, whom=name, seconds=round(seconds, 1))
        number = {"kill": signal.SIGKILL, "restart": signal.SIGTERM}.get(what, signal.SIGSTOP)
        if not self.cluster.signal(name, number):
            return False
        self.busy.add(name)
        self.later(seconds, self.heal, name, number == signal.SIGSTOP)
        return True

    def choose(self, whom: str, needs_run: bool) -> str | None:
        if whom == "redis":
            return "redis"
        names: tuple[str, ...] = WEBS if whom == "web" else WORKERS
        if needs_run:
            names = tuple(name for name in names if self.cluster.children(name))
        return self.rng.choice(names) if names else None

    def hit_child(self, what: str, seconds: float) -> bool:
        children = [child for name in WORKERS for child in self.cluster.children(name)]
        if not children:
            return False
        child = self.rng.choice(children)
        try:
            child.send_signal(signal.SIGKILL if what == "kill" else signal.SIGSTOP)
        except psutil.Error:
            return False
        self.history.add("fault", what=what, whom="child", seconds=round(seconds, 1))
        if what != "kill":
            self.later(seconds, self.wake, child)
        return True

    def later(self, seconds: float, act, *values) -> None:
        timer = threading.Timer(seconds, act, values)
        timer.start()
        self.healing.append(timer)

    @staticmethod
    def wake(child: psutil.Process) -> None:
        try:
            child.resume()
        except psutil.Error:
            return  # its worker has ended it

    def heal(self, name: str, asleep: bool) -> None:
        if asleep:
            self.cluster.signal(name, signal.SIGCONT)
        else:
            self.cluster.start_one(name)
        self.busy.discard(name)

    def settle(self) -> None:
        """Wait until everything that was hit is there again."""
        for thread in self.healing:
            thread.join()
