"""Refused requests whose body nobody needs: ``python -m benchmarks.refusals``.

Posts from a foreign page with a body of 100 kB, which are answered 403 without it: to granian alone, through nginx, and
to daphne. Half of the clients keep their connections; every second body is chunked. Counted: answers that a client did
not read, or that were not the 403. The clients run on the same cores as the servers.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks._serving.tables import table
from benchmarks._ways.machine import Others, described
from tests.support.early_answers import Refused, send_all
from tests.support.scaled import OnGranian, running_scaled
from tests.support.stack import Stack

FOREIGN_PAGE = Refused(403, headers=(("Origin", "http://evil.example"),))
WAYS = [*itertools.product((False, True), repeat=2)]  # kept, chunked
HEAD = ["server", "requests", "answers lost", "other answers", "ms for each", "p50 / p99 ms"]


@contextmanager
def alone(kind: type[Stack]) -> Iterator[Stack]:
    """A web server and Redis."""
    with tempfile.TemporaryDirectory(prefix="digits-refusals-") as folder:
        stack = kind(Path(folder))
        try:
            stack.start_redis()
            stack.prepare()
            stack.start_web()
            yield stack
        finally:
            stack.close()


def row(title: str, port: int, count: int, size: int, clients: int) -> list[str]:
    send_all(port, FOREIGN_PAGE.encode(size), clients, clients=clients)  # the first request of each worker is slower
    lost: Counter[str] = Counter()
    answered: Counter[int] = Counter()
    seconds: list[float] = []
    began = time.perf_counter()
    for kept, chunked in WAYS:
        request = FOREIGN_PAGE.encode(size, chunked=chunked)
        outcome = send_all(port, request, count // len(WAYS), clients=clients, kept=kept)
        lost, answered = lost + outcome.lost, answered + outcome.answered
        seconds += outcome.seconds
    each = 1000 * (time.perf_counter() - began) / count
    del answered[FOREIGN_PAGE.status]
    seconds.sort()
    p50, p99 = (1000 * seconds[int(len(seconds) * part)] for part in (0.5, 0.99))
    others = ", ".join(f"{number} × {status}" for status, number in answered.items())
    return [title, f"{count:,}", str(lost.total()), others or "0", f"{each:.2f}", f"{p50:.1f} / {p99:.1f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=10_000, help="for each server")
    parser.add_argument("--size", type=int, default=100_000, help="bytes of a body")
    parser.add_argument("--clients", type=int, default=16, help="that send at once")
    task = parser.parse_args()
    print(f"{described()}\n\n{task.clients} clients, bodies of {task.size:,} bytes.\n", flush=True)
    others, rows = Others(), []
    with alone(OnGranian) as granian:
        rows.append(row("granian", granian.port, task.requests, task.size, task.clients))
    with running_scaled() as scaled:
        rows.append(row("nginx, granian", scaled.port, task.requests, task.size, task.clients))
    with alone(Stack) as daphne:
        rows.append(row("daphne", daphne.port, task.requests, task.size, task.clients))
    print(table(HEAD, rows))
    print(f"Other processes used {others.share():.0%} of the processor.")


if __name__ == "__main__":
    main()
