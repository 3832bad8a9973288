"""What is done to the processes, at random moments that a seed decides."""

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

import psutil

from tests.campaigns.storm.cluster import WEBS, WORKERS, Cluster
from tests.campaigns.storm.history import History

# How often each kind comes: (what, whom) -> weight.
KINDS = {
    ("kill", "web"): 12,
    ("kill", "worker"): 8,
    ("kill", "redis"): 8,
    ("kill", "child"): 10,
    ("pause", "web"): 8,
    ("pause", "worker"): 8,
    ("pause", "redis"): 6,
    ("pause", "child"): 8,
    ("long pause", "worker"): 10,
    ("flushall", "redis"): 16,
    ("restart", "redis"): 8,
    ("restart", "web"): 4,
    ("restart", "worker"): 4,
}
AWAY_SECONDS = (0.0, 3.0)  # until a supervisor has started a process again
# The signal, and how long it takes until a process is well again. A long pause is longer than a run goes without a
# heartbeat before it is taken from its worker.
WAYS = {
    "kill": (signal.SIGKILL, AWAY_SECONDS),
    "restart": (signal.SIGTERM, AWAY_SECONDS),
    "pause": (signal.SIGSTOP, (0.5, 6.0)),
    "long pause": (signal.SIGSTOP, (17.0, 24.0)),
}
GAP_SECONDS = (0.3, 4.5)


class Storm:
    """Faults in their order; what a fault needs to heal happens on a timer of its own."""

    def __init__(self, cluster: Cluster, history: History, seed: int) -> None:
        self.cluster, self.history, self.rng = cluster, history, random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.busy: set[str] = set()  # being hit, or being healed
        self.healing: list[threading.Timer] = []

    def blow(self, faults: int) -> None:
        """So many faults. One that finds nothing to hit is not counted, and another is chosen."""
        while self.counts.total() < faults:
            time.sleep(self.rng.uniform(*GAP_SECONDS))
            what, whom = self.rng.choices(list(KINDS), list(KINDS.values()))[0]
            if self.hit(what, whom):
                self.counts[f"{what} {whom}"] += 1

    def hit(self, what: str, whom: str) -> bool:
        if what == "flushall":
            self.history.add("fault", what=what, whom=whom)
            return self.cluster.flush_redis()
        training = {name: child for name in WORKERS for child in self.cluster.children(name)}
        victims: dict[str, Sequence[str]] = {
            "web": WEBS,
            "worker": WORKERS,
            "redis": ["redis"],
            "child": list(training),
        }
        names = list(training) if what == "long pause" else victims[whom]
        if not names:
            return False
        name, (number, span) = self.rng.choice(names), WAYS[what]
        seconds = self.rng.uniform(*span)
        if whom == "child":
            return self.hit_child(training[name], what, number, seconds)
        if name in self.busy:
            return False
        self.history.add("fault", what=what, whom=name, seconds=round(seconds, 1))
        if not self.cluster.signal(name, number):
            return False
        self.busy.add(name)
        self.later(seconds, self.heal, name, number == signal.SIGSTOP)
        return True

    def hit_child(self, child: psutil.Process, what: str, number: int, seconds: float) -> bool:
        try:
            child.send_signal(number)
        except psutil.Error:
            return False
        self.history.add("fault", what=what, whom="child", seconds=round(seconds, 1))
        if number == signal.SIGSTOP:
            self.later(seconds, self.wake, child)
        return True

    def later(self, seconds: float, act, *values) -> None:
        self.healing.append(threading.Timer(seconds, act, values))
        self.healing[-1].start()

    @staticmethod
    def wake(child: psutil.Process) -> None:
        with suppress(psutil.Error):  # its worker has ended it
            child.resume()

    def heal(self, name: str, asleep: bool) -> None:
        if asleep:
            self.cluster.signal(name, signal.SIGCONT)
        else:
            self.cluster.start_one(name)
        self.busy.discard(name)

    def settle(self) -> None:
        """Wait until everything that was hit is there again."""
        for timer in self.healing:
            timer.join()
