"""python -m benchmarks.watchers: one run, 1,000 WebSockets and 200 event streams of one web process.

Runs with one viewer, who tells when it is over (A), and with all of them (B) in turn, A B A B. The viewers live in
processes of their own (tests.support.viewers). CPU seconds are from the request for the run to the last viewer's end.
A delay is from an epoch's `time`, taken when its row is written, to its arrival at a viewer.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil

from benchmarks._ways.machine import Others, described
from tests.support.stack import Stack, running
from tests.support.viewers import Crowd, crowd

EPOCHS, SAMPLES = 6, 20_000
CROWDS = 2  # processes
MIB = 2**20
KINDS = ("sockets", "streams")
PROCESSES = {"trainer": "training process", "worker": "worker", "web": "web process", "crowd": "viewers' processes"}
Figures = dict[str, Any]


class Trainer(threading.Thread):
    """The CPU seconds of the worker's training process, looked at until it is gone."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(daemon=True)
        self.stack, self.seconds, self.over = stack, 0.0, threading.Event()
        self.start()

    def run(self) -> None:
        while not self.over.wait(0.2):
            try:
                self.seconds = seconds(self.stack.training_child())
            except (StopIteration, psutil.NoSuchProcess):
                continue


def seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextmanager
def crowds(stack: Stack, sockets: int, streams: int) -> Iterator[list[Crowd]]:
    """The viewers, in equal parts; none for A."""
    with ExitStack() as open_ones:
        parts = range(CROWDS if sockets + streams else 0)
        yield [open_ones.enter_context(crowd(stack.port, share(sockets, part), share(streams, part))) for part in parts]


def share(number: int, part: int) -> int:
    return (number + part) // CROWDS


def measure(stack: Stack, sockets: int, streams: int, samples: int, epochs: int) -> Figures:
    """One run and what its viewers saw of it."""
    web, worker = (psutil.Process(stack.processes[name].pid) for name in ("web", "worker"))
    memory = web.memory_info().rss
    with crowds(stack, sockets, streams) as parts:
        before, began = (seconds(web), seconds(worker)), time.monotonic()
        trainer = Trainer(stack)
        run = stack.train(samples=samples, epochs=epochs)
        for part in parts:
            part.watch(run)
        largest = web.memory_info().rss - memory
        seen = [part.seen() for part in parts]
        row = stack.ended(run, 600)
        trainer.over.set()
        took = time.monotonic() - began
        assert row["status"] == "completed", row["error"]
        return {
            "web": seconds(web) - before[0],
            "worker": seconds(worker) - before[1],
            "trainer": trainer.seconds,
            "took": took,
            "epoch": [epoch["seconds"] for epoch in row["epochs"]],
            "memory": max(largest, web.memory_info().rss - memory),
            "crowd": sum(part["cpu"] for part in seen),
            **{kind: judged([viewer for part in seen for viewer in part[kind]], epochs) for kind in KINDS},
            **delays(seen),
        }


def judged(viewers: list[Figures], epochs: int) -> Figures:
    """Epochs missed and doubled, counted over all viewers, and who did not see the end."""
    numbers = range(1, epochs + 1)
    counts = [viewer["epochs"].count(number) for viewer in viewers for number in numbers]
    return {
        "viewers": len(viewers),
        "missed": counts.count(0),
        "doubled": sum(count - 1 for count in counts if count > 1),
        "unordered": sum(viewer["epochs"] != sorted(viewer["epochs"]) for viewer in viewers),
        "unended": sum(viewer["ending"] != "completed" for viewer in viewers),
        "batches": statistics.median([viewer["batches"] for viewer in viewers]) if viewers else 0,
    }


def delays(seen: list[Figures]) -> Figures:
    """Milliseconds from an epoch's `time` to its arrival, by kind; an event stream does not tell the time itself."""
    told = {number: at for part in seen for viewer in part["sockets"] for number, at in viewer["told"].items()}
    return {
        f"{kind} delays": sorted(
            1000 * (at - told[number])
            for part in seen
            for viewer in part[kind]
            for number, at in viewer["arrivals"].items()
            if number in told
        )
        for kind in KINDS
    }


def percentile(values: list[float], share_of: float) -> float:
    return values[min(len(values) - 1, int(share_of * len(values)))]


def show(number: int, name: str, found: Figures) -> None:
    used = ", ".join(f"{title} {found[one]:.1f}" for one, title in PROCESSES.items())
    epoch = statistics.median(found["epoch"])
    print(f"round {number}, {name}: epoch {epoch:.2f} s, run {found['took']:.1f} s; CPU seconds: {used}", flush=True)
    for kind in KINDS:
        if not (of := found[kind])["viewers"]:
            continue
        late = found[f"{kind} delays"]
        print(
            f"    {of['viewers']} {kind}: epochs missed {of['missed']}, doubled {of['doubled']}, out of order"
            f" {of['unordered']}, ends missed {of['unended']}; delay p50 {percentile(late, 0.5):.0f} ms,"
            f" p99 {percentile(late, 0.99):.0f} ms, longest {late[-1]:.0f} ms; batches told {of['batches']:.0f}",
            flush=True,
        )


def summary(rounds: dict[str, list[Figures]]) -> None:
    """Medians of both ways side by side."""

    def median(name: str, way: str) -> float:
        return statistics.median(found[name] for found in rounds[way])

    print("\n| median of rounds | one viewer | all viewers |\n| --- | ---: | ---: |")
    epochs = {way: statistics.median(e for found in rounds[way] for e in found["epoch"][1:]) for way in rounds}
    print(f"| epoch after the first, s | {epochs['A']:.2f} | {epochs['B']:.2f} |")
    for name, title in PROCESSES.items():
        print(f"| CPU s of the {title} | {median(name, 'A'):.2f} | {median(name, 'B'):.2f} |")
    print(f"| s from the request to the end | {median('took', 'A'):.2f} | {median('took', 'B'):.2f} |")
    first = rounds["B"][0]  # later ones find the memory of the first
    grown = first["memory"] / MIB * 1000 / sum(first[kind]["viewers"] for kind in KINDS)
    print(f"\nMemory of the web process: {grown:.0f} MiB more for 1,000 viewers, streams among them.")
    late = {kind: sorted(d for found in rounds["B"] for d in found[f"{kind} delays"]) for kind in KINDS}
    for kind, values in late.items():
        print(f"Delay at {kind}: p50 {percentile(values, 0.5):.0f} ms, p99 {percentile(values, 0.99):.0f} ms.")
    for name in ("missed", "doubled", "unordered", "unended"):
        print(f"{name}: {sum(found[kind][name] for found in rounds['B'] for kind in KINDS)}", end="; ")
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=1000)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    arguments = parser.parse_args()
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = arguments.sockets + arguments.streams + 1000
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(limit, needed), most), most))  # the web process inherits it
    print(f"{described()}\n{arguments.samples} digits, {arguments.epochs} epochs a run\n", flush=True)
    rounds: dict[str, list[Figures]] = {"A": [], "B": []}
    others = Others()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as stack:
        for number in range(1, arguments.rounds + 1):
            for way, name in (("A", "one viewer"), ("B", "all viewers")):
                numbers = (arguments.sockets, arguments.streams) if way == "B" else (1, 0)
                rounds[way].append(measure(stack, *numbers, arguments.samples, arguments.epochs))
                show(number, name, rounds[way][-1])
    summary(rounds)
    print(f"Other processes used {others.share():.0%} of the processor.")


if __name__ == "__main__":
    main()
