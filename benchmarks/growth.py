"""Many small runs in a row, and what they leave behind in worker and web: ``python -m benchmarks.growth``.

Every run is watched by a WebSocket and an event stream that come and go with it, and a few drawings are read. Exits
with status 1 when something grew.
"""

import argparse
import statistics
import sys
import tempfile
import threading
from pathlib import Path

import psutil
import redis

from benchmarks.support.common import machine, table
from tests.support.drawings import draw, encode
from tests.support.stack import Stack, running, streamed
from tests.support.watcher import Watcher

SETTLED = 10  # runs after which caches, pools and lazily imported modules are there
MEGABYTES_ALLOWED = 3.0  # of an allocator's own coming and going; a leak of 0.1 MB a run would be 4


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
    found["temporary files"] = sum(1 for name in ("tmp", "runs") for _ in (stack.folder / name).glob("**/*"))
    return found


def one_run(stack: Stack, picture: bytes) -> None:
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


def grown(history: list[dict[str, float]]) -> list[str]:
    """What grew between the first settled runs and the last ones; medians of a few, since a run is still ending."""
    few, found = max(3, (len(history) - SETTLED) // 4), []
    for name in history[0]:
        before = statistics.median(row[name] for row in history[SETTLED : SETTLED + few])
        after = statistics.median(row[name] for row in history[-few:])
        if after - before > (MEGABYTES_ALLOWED if name.endswith("MB") else 0):
            found.append(f"{name}: {before:.1f} after {SETTLED} runs, {after:.1f} at the end")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=50, help=f"{2 * SETTLED} at least")
    runs = max(2 * SETTLED, parser.parse_args().runs)
    print(f"{machine()}; after each run, worker and web at rest\n")
    with tempfile.TemporaryDirectory() as name:
        (folder := Path(name) / "tmp").mkdir()
        with running(Path(name), TMPDIR=str(folder)) as stack:
            picture, history = encode(draw(7)), []
            for _ in range(runs):
                one_run(stack, picture)
                history.append(measure(stack))
    shown = [number for number in range(1, runs + 1) if number in {1, 2, 5} or number % 10 == 0]
    print(table(["run", *history[0]], [[str(n), *(f"{v:.1f}" for v in history[n - 1].values())] for n in shown]))
    found = grown(history)
    print("\n".join(found) or "Nothing grew.")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
