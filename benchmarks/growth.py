"""python -m benchmarks.growth: many small runs in a row, and what they leave behind in worker and web.

Every run is watched by a WebSocket and an event stream that come and go with it, and a few drawings are read. `--runs
50` is the default, five minutes. Ends with status 1 when something grew.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import threading
from pathlib import Path

import psutil
import redis

from benchmarks.preprocessing import processor
from tests.live.test_streams import Watcher
from tests.support.drawings import draw, encode
from tests.support.stack import Stack, running, streamed

SETTLED = 10  # caches, pools and lazily imported modules are there after so many runs
MEGABYTES_ALLOWED = 3.0  # of an allocator's own coming and going; a leak of 0.1 MB a run would be 4


def temporary_files(folder: Path) -> int:
    """What lies in the temporary folder that the processes were given, and in the folder of runs."""
    return sum(len(files) + len(folders) for _, folders, files in os.walk(folder / "tmp")) + sum(
        1 for _ in (folder / "runs").glob("**/*")
    )


def measure(stack: Stack) -> dict[str, float]:
    """Memory in MB (resident and not shared), and counts."""
    found: dict[str, float] = {}
    for name in ("worker", "web"):
        process = psutil.Process(stack.processes[name].pid)
        found[f"{name} MB"] = process.memory_full_info().uss / 1e6
        found[f"{name} descriptors"] = process.num_fds()
        found[f"{name} threads"] = process.num_threads()
    with redis.Redis(port=stack.redis_port) as client:
        found["Redis connections"] = len(client.client_list()) - 1
    found["temporary files"] = temporary_files(stack.folder)
    return found


def one_run(stack: Stack, picture: bytes) -> None:
    """A run of one epoch, watched in both ways, and drawings read meanwhile."""
    watcher = Watcher(stack.ws_url)
    run = stack.train(samples=64, epochs=1)
    stream = threading.Thread(target=list, args=(streamed(stack.url),))
    stream.start()
    for _ in range(5):
        stack.http.post("/api/drawing/", content=picture, headers={"Content-Type": "image/png"}).raise_for_status()
    if watcher.wait_for_end(run) != "completed":
        raise SystemExit(f"run {run} did not complete: {stack.run(run)}")
    stream.join()
    watcher.close()


def verdict(history: list[dict[str, float]]) -> list[str]:
    """What grew between the first settled runs and the last ones; medians of a few, since a run is still ending."""
    grown = []
    for name in history[0]:
        few = max(3, (len(history) - SETTLED) // 4)
        before = statistics.median(row[name] for row in history[SETTLED : SETTLED + few])
        after = statistics.median(row[name] for row in history[-few:])
        if after - before > (MEGABYTES_ALLOWED if name.endswith("MB") else 0):
            grown.append(f"{name}: {before:.1f} after {SETTLED} runs, {after:.1f} at the end")
    return grown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    runs = parser.parse_args().runs
    print(f"{processor()}, {os.cpu_count()} cores; after each run, worker and web at rest\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tmp").mkdir()
        with running(folder, TMPDIR=str(folder / "tmp")) as stack:
            picture, history = encode(draw(7)), []
            for number in range(1, runs + 1):
                one_run(stack, picture)
                history.append(measure(stack))
                if number == 1:
                    print(f"| run | {' | '.join(history[0])} |\n|{' --- |' * (len(history[0]) + 1)}")
                if number in {1, 2, 5} or number % 10 == 0:
                    values = " | ".join(f"{v:.1f}" if k.endswith("MB") else f"{v:.0f}" for k, v in history[-1].items())
                    print(f"| {number} | {values} |", flush=True)
    if runs < 2 * SETTLED:
        print(f"\nToo few runs to tell whether anything grows: {2 * SETTLED} at least.")
        return
    grown = verdict(history)
    print("\n" + ("\n".join(grown) or "Nothing grew."))
    sys.exit(bool(grown))


if __name__ == "__main__":
    main()
