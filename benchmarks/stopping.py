"""python -m benchmarks.stopping: how long a run goes on after it was asked to stop, whatever it was doing."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.preprocessing import processor
from tests.live.test_stop import PHASES, hang, reached, stop
from tests.live.test_streams import Watcher
from tests.support.stack import Stack, running

TIMES = 3


def in_phase(stack: Stack, phase: str) -> float:
    """Seconds from the request to stop to the end of the run, asked as soon as the phase is told."""
    watcher = Watcher(stack.ws_url)
    run = stack.train(**({"samples": 60_000} if phase == "fitting" else {"samples": 2000}), epochs=2)
    reached(watcher, run, phase)
    seconds = stop(stack, run)
    watcher.close()
    return seconds


def queued(stack: Stack) -> float:
    """No worker is there."""
    return stop(stack, stack.train(samples=2000, epochs=2))


def main() -> None:
    print(f"{processor()}; seconds, {TIMES} times each\n\n| stopped while | least | most |\n| --- | ---: | ---: |")
    with tempfile.TemporaryDirectory() as name, running(Path(name)) as stack:
        ways = {phase: lambda phase=phase: in_phase(stack, phase) for phase in PHASES}
        ways["fitting, the training process asleep"] = lambda: stop(stack, hang(stack))
        for title, way in ways.items():
            taken = [way() for _ in range(TIMES)]
            print(f"| {title} | {min(taken):.1f} | {max(taken):.1f} |", flush=True)
        stack.kill("worker")
        taken = [queued(stack) for _ in range(TIMES)]
        print(f"| queued | {min(taken):.1f} | {max(taken):.1f} |")


if __name__ == "__main__":
    main()
