"""python -m benchmarks.attack: what strangers who want to wear the service out do to others who draw meanwhile.

Through nginx as compose.yaml deploys it: public mode, TLS, deploy/nginx.conf, two workers of granian, one daphne. With
`--alone`, against daphne by itself in local mode. The history holds a hundred runs of a hundred epochs.

Each attack comes from addresses of its own, the honest from forty others, which to nginx are other clients (Linux
answers on all of 127/8). For each attack: how its connections ended (`held`: open when the attack was over, `cut`:
closed without an answer; a status: the answer), the memory of web processes and nginx, and the latency and failures of
the honest.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from benchmarks._attack.history import fill
from benchmarks._attack.honest import Asked, Visitors
from benchmarks._serving.tables import table
from benchmarks._ways.machine import described
from tests.support.attackers import ATTACKS, Attack, Target, carry_out
from tests.support.memory import Weight
from tests.support.public_site import running_public
from tests.support.stack import running

RATE = 20.0  # honest drawings a second
CALM = 6.0  # seconds before and after an attack
SETTLING = 3.0  # seconds left out between attacks
Processes = Callable[[], list[psutil.Process]]
HEAD = (
    "attack", "how its connections ended", "MB before / peak / after",
    "honest p50 / p99 ms before", "during", "after", "honest that failed",
)  # fmt: skip


@dataclass(frozen=True)
class Site:
    target: Target
    processes: Processes
    certificate: str = ""  # file


@dataclass(frozen=True)
class Outcome:
    attack: Attack
    endings: Counter[str]
    seconds: float
    memory: tuple[float, float, float]
    before: Sequence[Asked]
    during: Sequence[Asked]
    after: Sequence[Asked]


def measure(attack: Attack, site: Site) -> Outcome:
    visitors = Visitors(site.target.port, RATE, site.certificate)
    time.sleep(SETTLING + CALM)  # its own start is not counted
    weight = Weight(site.processes)
    began = time.monotonic()
    endings = carry_out(attack, site.target)
    ended = time.monotonic()
    peak = weight.peak()
    time.sleep(CALM)
    after = weight.now()
    asked = visitors.leave()

    def between(start: float, end: float) -> list[Asked]:
        return [one for one in asked if start <= one[0] < end]

    return Outcome(
        attack, endings, ended - began, (weight.seen[0], peak, after),
        between(began - CALM, began), between(began, ended), between(ended, ended + CALM),
    )  # fmt: skip


def row(found: Outcome) -> list[str]:
    failed = Counter(status for part in (found.before, found.during, found.after) for *_, status in part)
    failed.pop(200, None)
    return [
        found.attack.title,
        ", ".join(f"{number:,} × {how}" for how, number in found.endings.most_common()) + f" in {found.seconds:.0f} s",
        " / ".join(f"{megabytes:.0f}" for megabytes in found.memory),
        *(latency(part) for part in (found.before, found.during, found.after)),
        ", ".join(f"{number} × {status or 'no answer'}" for status, number in failed.items()) or "0",
    ]


def latency(asked: Sequence[Asked]) -> str:
    times = sorted(1000 * took for _, took, status in asked if status == 200)
    if not times:
        return "–"
    return f"{times[len(times) // 2]:.0f} / {times[min(len(times) - 1, int(0.99 * len(times)))]:.0f}"


@contextmanager
def public() -> Iterator[Site]:
    with running_public() as site:
        fill(site)
        target = Target(site.https_port, site.trust())
        yield Site(target, site.members, str(site.folder / "fullchain.pem"))


@contextmanager
def alone() -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as stack:
        fill(stack)
        yield Site(Target(stack.port), lambda: [psutil.Process(stack.processes["web"].pid)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("attacks", nargs="*", choices=[*ATTACKS, []], help="all, unless some are named")
    parser.add_argument("--alone", action="store_true", help="daphne without nginx")
    arguments = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 8192), hard), hard))  # the servers inherit it
    print(f"{described()}\n", flush=True)
    rows = []
    with (alone if arguments.alone else public)() as site:
        for number, name in enumerate(arguments.attacks or ATTACKS, start=1):
            rows.append(row(measure(replace(ATTACKS[name](), network=number), site)))
            print(" | ".join(rows[-1]), flush=True)
    where = "daphne alone, local mode" if arguments.alone else "Through nginx, public mode"
    print(f"\n{where}, {RATE:.0f} honest drawings a second:\n")
    print(table(HEAD, rows))


if __name__ == "__main__":
    main()
