"""One run, 1,000 WebSockets and 200 event streams of one web process: ``python -m benchmarks.watchers``.

Runs with one viewer (A) and with all of them (B) in turn, A B A B. The viewers live in processes of their own
(tests.support.viewers). CPU seconds are from the request for the run to the last viewer's end. A delay is from an
epoch's `time`, taken when its row is written, to its arrival at a viewer.
"""

import argparse
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil

from benchmarks.support.common import OtherLoad, allow_descriptors, cpu_seconds, machine, percentile, say, table
from tests.support.stack import Stack, running
from tests.support.viewers import crowd

PARTS = 2  # processes of viewers
KINDS = ("sockets", "streams")
Figures = dict[str, Any]


def measure(stack: Stack, sockets: int, streams: int, samples: int, epochs: int) -> Figures:
    """One run and what its viewers saw of it."""
    web, worker = (psutil.Process(stack.processes[name].pid) for name in ("web", "worker"))
    clocks = (web, False), (worker, False), (worker, True)
    memory = web.memory_info().rss
    with ExitStack() as exits:
        shares = [((sockets + part) // PARTS, (streams + part) // PARTS) for part in range(PARTS)]
        parts = [exits.enter_context(crowd(stack.port, *share)) for share in shares if any(share)]
        before, began = [cpu_seconds(*of) for of in clocks], time.monotonic()
        run = stack.train(samples=samples, epochs=epochs)
        for part in parts:
            part.watch()
        grown = web.memory_info().rss - memory
        seen = [part.seen() for part in parts]
        row = stack.ended(run, 600)
        used = [cpu_seconds(*of) - seconds for of, seconds in zip(clocks, before, strict=True)]
        assert row["status"] == "completed", row["error"]
        return {
            "took": time.monotonic() - began,
            "CPU, web": used[0],
            "CPU, worker": used[1],
            "CPU, training process": used[2] - used[1],
            "CPU, viewers": sum(part["cpu"] for part in seen),
            "epoch": statistics.median(epoch["seconds"] for epoch in row["epochs"][1:] or row["epochs"]),
            "MiB for 1,000 viewers": max(grown, web.memory_info().rss - memory) / 2**20 * 1000 / (sockets + streams),
            **{f"{kind}, {name}": value for kind in KINDS for name, value in judge(seen, kind, epochs).items()},
        }


def judge(seen: list[Figures], kind: str, epochs: int) -> Figures:
    """Counts over all viewers of a kind, and delays in milliseconds (a stream's messages have no time of their own)."""
    viewers = [viewer for part in seen for viewer in part[kind]]
    sent = {number: at for part in seen for viewer in part["sockets"] for number, at in viewer["told"].items()}
    counts = [viewer["epochs"].count(number) for viewer in viewers for number in range(1, epochs + 1)]
    arrivals = [arrival for viewer in viewers for arrival in viewer["arrivals"].items()]
    delays = [1000 * (at - sent[number]) for number, at in arrivals if number in sent]
    return {
        "epochs missed": counts.count(0),
        "epochs doubled": sum(count - 1 for count in counts if count > 1),
        "viewers out of order": sum(viewer["epochs"] != sorted(viewer["epochs"]) for viewer in viewers),
        "viewers without the end": sum(viewer["ending"] != "completed" for viewer in viewers),
        "delay p50, ms": percentile(delays, 0.5),
        "delay p99, ms": percentile(delays, 0.99),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=1000)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=6)
    task = parser.parse_args()
    allow_descriptors(task.sockets + task.streams + 1000)
    print(f"{machine()}\n{task.samples} digits, {task.epochs} epochs a run, {task.rounds} rounds\n", flush=True)
    ways = {"one viewer": (1, 0), f"{task.sockets} sockets, {task.streams} streams": (task.sockets, task.streams)}
    found: dict[str, list[Figures]] = {way: [] for way in ways}
    others = OtherLoad()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as stack:
        for _ in range(task.rounds):
            for way, numbers in ways.items():
                found[way].append(measure(stack, *numbers, task.samples, task.epochs))
                say(f"{way}: {', '.join(f'{name} {value:.2f}' for name, value in found[way][-1].items())}")
    rows = []
    for name in next(iter(found.values()))[0]:
        counted = "epochs" in name or "viewers " in name  # added up; of the others, the median
        merge = sum if counted else statistics.median
        rows.append([name, *(f"{merge(one[name] for one in found[way]):.{0 if counted else 2}f}" for way in ways)])
    print(f"\n{table(['all rounds', *ways], rows)}\n{others.verdict()}")


if __name__ == "__main__":
    main()
