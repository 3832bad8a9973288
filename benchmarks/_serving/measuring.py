"""One server measured once: started, asked for the right digits, loaded with every kind of request, ended."""

from __future__ import annotations

import statistics
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

import psutil

from benchmarks._serving import drawings, load
from benchmarks._serving.asking import ask, digit, first_answer
from benchmarks._serving.kinds import KINDS, Kind
from benchmarks._serving.processes import NotServing, Tree, cores, on
from benchmarks._serving.servers import PLAIN, SERVERS, Server
from tests.support.ports import free_port

WARM = 0.7  # seconds of load before those that count
RIGHT = 7  # of ten digits, that the plain service must read: it does not look for the ink


@dataclass(frozen=True)
class Measurement:
    """A server under one kind of load: of drawings, not requests, where a request holds several."""

    rate: float  # a second
    cpu: float  # milliseconds each, of the whole process tree
    p50: float  # milliseconds a request
    p99: float
    memory: float  # megabytes of the process tree
    others: float  # share of the server's core that was in others' hands
    failures: dict[str, int]


@dataclass(frozen=True)
class Visit:
    """One server in one round."""

    first_answer: float  # seconds from its start
    kinds: dict[str, Measurement]


class Desk:
    """Where servers are started: the product's data and Redis, a folder for logs, the two cores."""

    def __init__(self, folder: Path, product: Mapping[str, str]) -> None:
        self.folder, self.product = folder, product
        self.serving, self.loading = cores()

    def start(self, name: str, server: Server) -> tuple[Tree, int]:
        """Raises NotInstalled."""
        port = free_port()
        command, environment = server.command(port), server.environment(port, self.product)
        return Tree(command, environment, self.folder / f"{name}.log", self.serving), port

    def visit(self, name: str, kinds: Iterable[str], seconds: float) -> Visit:
        """Raises NotInstalled and NotServing."""
        server = SERVERS[name]
        tree, port = self.start(name, server)
        try:
            with on(self.loading), ending_said(tree):
                began = self.wait(tree, server, port)
                agree(name, server, port)
                taken = {kind: KINDS[kind] for kind in kinds if answers(server, port, KINDS[kind])}
                return Visit(
                    began, {kind: self.measure(tree, server, port, one, seconds) for kind, one in taken.items()}
                )
        finally:
            tree.stop()

    def wait(self, tree: Tree, server: Server, port: int) -> float:
        """Seconds from the start to the first answer. Raises NotServing."""
        return first_answer(tree, server, port, drawings.data_url(drawings.colour_png(3)))

    def measure(self, tree: Tree, server: Server, port: int, kind: Kind, seconds: float) -> Measurement:
        """Raises NotServing where nothing is answered."""
        requests = kind.requests(server, port)
        load.run(load.Load(port, requests, WARM, follow=server.follow))
        busy, used = self.busy(), tree.cpu()
        result = load.run(load.Load(port, requests, seconds, follow=server.follow))
        used, busy = tree.cpu() - used, self.busy() - busy
        if not result.answers:
            raise NotServing(f"no request was answered: {result.failures} {tree.last_words()}")
        done = result.answers * kind.size
        others = max(0.0, busy - used) / result.seconds
        return Measurement(
            done / result.seconds, 1000 * used / done, result.p50, result.p99, tree.memory(), others, result.failures
        )

    def busy(self) -> float:
        """CPU seconds so far of the server's core."""
        if not self.serving:
            return 0.0
        times = psutil.cpu_times(percpu=True)[min(self.serving)]
        return float(times.user + times.nice + times.system + times.steal)


@contextmanager
def ending_said(tree: Tree) -> Iterator[None]:
    """A server that breaks off while it is measured raises NotServing."""
    try:
        yield
    except (OSError, HTTPException, subprocess.CalledProcessError, psutil.Error) as error:
        tree.check()
        raise NotServing(f"broke off: {error!r}; {tree.last_words()}") from error


def agree(name: str, server: Server, port: int) -> None:
    """Raises NotServing where a server does not read the digits that were drawn: it would be doing other work."""
    for kind in (one for one in KINDS.values() if one.size == 1):
        read = [digit(server, port, kind.drawings(drawn)[0]) for drawn in drawings.DIGITS]
        right = sum(one == drawn for one, drawn in zip(read, drawings.DIGITS, strict=True))
        if right < (RIGHT if name == PLAIN else len(drawings.DIGITS)):
            raise NotServing(f"reads {read} in the digits 0 to 9, {kind.title}")


def answers(server: Server, port: int, kind: Kind) -> bool:
    """Whether a server takes this kind of request."""
    return kind.size == 1 or (server.batches and ask(server, port, kind.drawings(0))[0] == 200)


def middle(measured: Iterable[Measurement]) -> Measurement:
    """The median of every figure."""
    rounds = list(measured)

    def of(figure: str) -> float:
        return statistics.median(getattr(one, figure) for one in rounds)

    failures: Counter[str] = Counter()
    for one in rounds:
        failures.update(one.failures)
    return Measurement(*map(of, ("rate", "cpu", "p50", "p99", "memory", "others")), dict(failures))
