"""Requests a second that one core serves, beside other servers: ``python -m benchmarks.serving``.

Every server gets one core, the load (wrk, with 16 kept connections) another. In each round every server is started,
asked for ten digits, loaded with each kind of request in turn, and ended, so that no other stands idle beside it.
Needs wrk (apt-get install wrk). Progress goes to standard error, tables to standard output.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.support import drawings
from benchmarks.support.common import OtherLoad, cores, machine, pinned, say, table
from benchmarks.support.servers import SERVERS, Running, Unusable, prepared
from tests.support.drawings import data_url

CONNECTIONS, BATCH = 16, 32
WARM_UP_SECONDS = 1
SCRIPT = """
local bodies, n = {}, 0
for path in string.gmatch(os.getenv("BODIES"), "[^:]+") do
  local file = io.open(path, "rb"); bodies[#bodies + 1] = file:read("*a"); file:close()
end
request = function()
  n = n % #bodies + 1
  return wrk.format("POST", os.getenv("TARGET"), {["Content-Type"] = "application/json"}, bodies[n])
end
done = function(all, latency)
  local e = all.errors
  io.write(string.format('{"answers": %d, "failed": %d, "seconds": %f, "p50": %f, "p99": %f}\\n',
    all.requests - e.status, e.status + e.connect + e.read + e.write + e.timeout, all.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
"""


@dataclass(frozen=True)
class Kind:
    """Ten requests, each beginning with another digit."""

    title: str
    png: Callable[[int], bytes]
    size: int = 1  # drawings a request

    def drawings(self, first: int) -> list[str]:
        return [data_url(self.png((first + number) % 10)) for number in range(self.size)]


KINDS = {
    "canvas": Kind("A 280x280 colour PNG", drawings.colour_png),
    "page": Kind("The page's small PNG", drawings.page_png),
    "small": Kind("A 28x28 PNG", drawings.small_png),
    "canvas-32": Kind(f"Batches of {BATCH} colour PNGs of 280x280", drawings.colour_png, BATCH),
    "page-32": Kind(f"Batches of {BATCH} of the page's small PNGs", drawings.page_png, BATCH),
}


@dataclass(frozen=True)
class Measurement:
    """Of drawings, not requests, where a request holds several."""

    rate: float  # a second
    cpu: float  # milliseconds each, of the whole process tree
    p50: float  # milliseconds a request
    p99: float
    megabytes: float
    failed: int


def load(running: Running, kind: Kind, seconds: float, folder: Path) -> Measurement:
    """Raises Unusable where nothing is answered."""
    server, tree = running.server, running.tree
    size = kind.size if server.is_product else 1  # drawings a request
    path = "/api/drawings/" if size > 1 else "/api/drawing/"
    bodies = []
    for first in range(10):
        bodies.append(folder / f"body-{first}")
        bodies[-1].write_bytes(server.body(kind.drawings(first)[:size]))
    script = folder / "post.lua"
    script.write_text(SCRIPT)
    environment = os.environ | {"BODIES": ":".join(map(str, bodies)), "TARGET": path}
    # Two batches in either case. What is under way at the end is not counted.
    connections = CONNECTIONS if kind.size == 1 else 2 * kind.size // size
    wrk = ["wrk", "-t1", f"-c{connections}", "--timeout", "30", "-s", str(script)]
    url = f"http://127.0.0.1:{running.port}"

    def shoot(seconds: int) -> dict[str, float]:
        done = subprocess.run([*wrk, f"-d{seconds}s", url], env=environment, check=True, capture_output=True, text=True)
        return json.loads(done.stdout.splitlines()[-1])

    with pinned(cores()[1]):
        shoot(WARM_UP_SECONDS)
        before = tree.cpu_seconds()
        found = shoot(max(1, round(seconds)))
        used = tree.cpu_seconds() - before
    if not found["answers"]:
        raise Unusable(f"no request was answered: {tree.last_lines()}")
    count = found["answers"] * size
    megabytes = tree.largest_megabytes()
    return Measurement(
        count / found["seconds"], 1000 * used / count, found["p50"], found["p99"], megabytes, found["failed"]
    )


def visit(name: str, kinds: Sequence[str], seconds: float, folder: Path, product: dict[str, str]) -> Visit:
    """One server in one round. Raises Unusable."""
    server = SERVERS[name]
    with server.running(folder, product, cores()[0], data_url(drawings.colour_png(3))) as running:
        for kind in (one for one in KINDS.values() if one.size == 1):
            right = sum(running.digit(kind.drawings(digit)[0]) == digit for digit in range(10))
            if right < (7 if name == "flask" else 10):  # it would be doing other work
                raise Unusable(f"reads {right} of ten digits, {kind.title}")
        taken = [kind for kind in kinds if KINDS[kind].size == 1 or server.is_product or server.makes_batches]
        before = running.tree.largest_megabytes()
        return Visit(
            running.first_answer, before, {kind: load(running, KINDS[kind], seconds, folder) for kind in taken}
        )


@dataclass(frozen=True)
class Visit:
    first_answer: float
    megabytes: float  # after the first answers
    kinds: dict[str, Measurement]


def table_of(kind: str, visits: dict[str, list[Visit]]) -> str:
    """Every server that takes this kind, the slowest first; medians of the rounds."""
    rows = []
    for name, made in visits.items():
        if found := [one.kinds[kind] for one in made if kind in one.kinds]:
            failed = sum(one.failed for one in found)
            rate, cpu, p50, p99, megabytes = (
                median([getattr(one, figure) for one in found]) for figure in ("rate", "cpu", "p50", "p99", "megabytes")
            )
            title = SERVERS[name].title + (f" ({failed} FAILED)" if failed else "")
            rows.append((rate, [title, f"{rate:.0f}", f"{cpu:.2f}", f"{p50:.0f} / {p99:.0f}", f"{megabytes:.0f}"]))
    what = "requests/s" if KINDS[kind].size == 1 else "drawings/s"
    size = median([len(SERVERS["daphne"].body(KINDS[kind].drawings(first))) for first in range(10)]) / 1000
    head = ["server", what, "CPU ms each", "p50 / p99 ms a request", "MB of the process that answers"]
    return f"**{KINDS[kind].title}** ({size:.1f} kB of JSON)\n\n{table(head, [row for _, row in sorted(rows)])}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="of load, for each server and kind in each round")
    parser.add_argument("--only", nargs="+", choices=SERVERS, default=list(SERVERS))
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    task = parser.parse_args()
    print(
        f"{machine()}\n\nOne core, {CONNECTIONS} connections; medians of {task.rounds} rounds of {task.seconds:g} s.\n"
    )
    visits: dict[str, list[Visit]] = {}
    left, others = list(task.only), OtherLoad()
    with prepared() as stack:
        for number in range(1, task.rounds + 1):
            for name in list(left):
                try:
                    found = visit(name, task.kinds, task.seconds, stack.folder, stack.environment)
                except Unusable as error:
                    left.remove(name)
                    print(f"Left out: {SERVERS[name].title}. {error}\n")
                    continue
                visits.setdefault(name, []).append(found)
                rates = ", ".join(f"{kind} {one.rate:.0f}/s {one.cpu:.2f} ms" for kind, one in found.kinds.items())
                say(f"round {number}: {SERVERS[name].title}: {rates}")
    for kind in task.kinds:
        print(table_of(kind, visits))
    starts = []
    for name, made in visits.items():
        seconds, megabytes = (
            median([getattr(one, figure) for one in made]) for figure in ("first_answer", "megabytes")
        )
        starts.append([SERVERS[name].title, f"{seconds:.2f}", f"{megabytes:.0f}"])
    print(table(["server", "seconds from start to first answer", "MB then"], starts))
    print(others.verdict())


if __name__ == "__main__":
    main()
