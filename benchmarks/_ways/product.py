"""The product as it runs: web server, worker, Redis and training process, its rows written, two clients watching."""

from __future__ import annotations

import tempfile
import time
from argparse import Namespace
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil

from benchmarks._ways import common
from benchmarks._ways.watching import Sample, SocketWatcher, StreamWatcher
from tests.support.stack import Stack, eventually, running
from training.learner.presets import PRESETS

# From the request on, each is the time since the one before it.
MILESTONES = ("queued", "started", "importing", "loading", "fitting", "batch")


def seconds_of(process: psutil.Process) -> float:
    """CPU seconds of one process so far, without its children's."""
    times = process.cpu_times()
    return float(times.user + times.system)


class Meter:
    """CPU seconds of the training process, and of the processes that serve it."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._serving = [psutil.Process(p.pid) for p in stack.processes.values()]

    def read(self) -> Sample:
        child = self._stack.training_child()
        family = [child, *child.children(recursive=True)]  # a preset may have a process that makes pictures
        return {
            "training": sum(seconds_of(process) for process in family),
            "serving": sum(seconds_of(process) for process in self._serving),
        }


def wait_for_worker(stack: Stack) -> None:
    """Until the worker takes tasks, so that its own start is not counted as the run's."""
    eventually(lambda: " ready." in stack.log("worker"), 60, "the worker")


def parameters(task: Namespace) -> dict[str, Any]:
    asked = {"preset": task.preset, "samples": task.digits, "epochs": task.epochs, "seed": task.seed}
    return {name: value for name, value in asked.items() if value is not None}


def starting(watcher: SocketWatcher, requested: float) -> dict[str, float]:
    """Seconds from one milestone to the next, and `total`; without those whose news was lost on the way."""
    times = {"request": requested}
    for milestone in MILESTONES:
        if (sent := watcher.sent(milestone)) is not None:
            times[milestone] = sent
    steps = {f"{before} → {after}": times[after] - times[before] for before, after in pairwise(times)}
    return steps | {"total": times["batch"] - requested} if "batch" in times else steps


def measure(task: Namespace) -> dict[str, Any]:
    common.say("starting web server, worker and Redis")
    with tempfile.TemporaryDirectory(prefix="digits-bench-") as folder, running(Path(folder)) as stack:
        wait_for_worker(stack)
        watcher = SocketWatcher(stack.ws_url, Meter(stack).read)
        requested = time.time()
        number = stack.train(**parameters(task))
        stream = StreamWatcher(stack.url)
        watcher.ended.wait()
        ended = time.time()
        run = stack.run(number)
        assert run["status"] == "completed", f"the run's status is {run['status']}: {run['error']}"
        streamed = stream.finish()
        watcher.close()
    cpu = watcher.cpu_per_epoch(len(run["epochs"])) or [{}] * len(run["epochs"])
    rows = zip(run["epochs"], cpu, strict=True)
    return {
        "digits": task.digits or PRESETS[task.preset].samples,
        "epochs": [{"wall": e["seconds"], "cpu": c.get("training"), "serving": c.get("serving")} for e, c in rows],
        "accuracy": run["test_accuracy"],
        "request_to_end": ended - requested,
        "start": starting(watcher, requested),
        "news": watcher.news(),
        "stream_messages": streamed,
    }
