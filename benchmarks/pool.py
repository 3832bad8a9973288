"""What a request costs on PostgreSQL, with the pool of connections and without: GET /api/runs/ through daphne.

Three rounds of each in turn, four clients at once. CPU is the web process' and PostgreSQL's.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import psutil

from benchmarks.preprocessing import processor
from tests.support.postgres import Server
from tests.support.stack import Stack

POOLS = {"pool of 8": "8", "no pool": "0"}
CLIENTS, REQUESTS, ROUNDS = 4, 600, 3


def cpu_seconds(pid: int) -> float:
    """Of a process and its children, those that have ended included."""
    process = psutil.Process(pid)
    times = [process.cpu_times(), *(child.cpu_times() for child in process.children(recursive=True))]
    return sum(t.user + t.system for t in times) + times[0].children_user + times[0].children_system


def measured(stack: Stack, server: Server) -> tuple[float, float, float, float]:
    """Milliseconds: median and 99th percentile of a request; CPU a request of the web process and of PostgreSQL."""

    def ask(_: int) -> float:
        began = time.perf_counter()
        assert stack.http.get("/api/runs/").status_code == 200
        return 1000 * (time.perf_counter() - began)

    pids = (stack.processes["web"].pid, server.process.pid)
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(ask, range(50)))
        before = [cpu_seconds(pid) for pid in pids]
        waits = sorted(pool.map(ask, range(REQUESTS)))
        web, database = (1000 * (cpu_seconds(p) - b) / REQUESTS for p, b in zip(pids, before, strict=True))
    return statistics.median(waits), waits[int(0.99 * REQUESTS)], web, database


def main() -> None:
    print(f"{processor()}; {CLIENTS} clients, {REQUESTS} requests a round, medians of {ROUNDS} rounds")
    with ExitStack() as exits:
        server = exits.enter_context(closing(Server()))
        stacks = {}
        for name, size in POOLS.items():
            folder = Path(exits.enter_context(tempfile.TemporaryDirectory()))
            stacks[name] = exits.enter_context(closing(Stack(folder, DATABASE_URL=server.url, DATABASE_POOL=size)))
            stacks[name].start_redis()
            stacks[name].prepare()
            stacks[name].start_web()
        rounds = [{name: measured(stack, server) for name, stack in stacks.items()} for _ in range(ROUNDS)]
    print("\n| | median ms | p99 ms | CPU ms, web | CPU ms, PostgreSQL |\n| --- | ---: | ---: | ---: | ---: |")
    for name in POOLS:
        figures = (statistics.median(values) for values in zip(*(each[name] for each in rounds), strict=True))
        print(f"| {name} | " + " | ".join(f"{figure:.1f}" for figure in figures) + " |")


if __name__ == "__main__":
    main()
