"""What attackers who want to wear the service out do to others who draw: ``python -m benchmarks.attack [ATTACK ...]``.

Through nginx as compose.yaml deploys it: public mode, TLS, deploy/nginx.conf, two workers of granian, one daphne; with
`--alone`, against daphne by itself in local mode. The history holds a hundred runs of a hundred epochs. For each
attack: how its connections ended (`held`: open to the end, `cut`: closed without an answer, a status: the answer), the
memory of web processes and nginx, and the latency and failures of the honest, who have addresses of their own.
"""

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks.support.common import allow_descriptors, machine, percentile, table
from benchmarks.support.steady import Asked, Visitors
from tests.support.attackers import ATTACKS, Attack, Target, carry_out
from tests.support.memory import Weight
from tests.support.public_site import running_public
from tests.support.stack import running

RATE = 20.0  # honest drawings a second
CALM_SECONDS, SETTLING_SECONDS = 6.0, 3.0  # before and after an attack; left out between two
FILL = (
    "shell",
    "--verbosity",
    "0",
    "-c",
    """
from django.utils import timezone
from training.models import Epoch, TrainingRun
now = timezone.now()
parameters = dict(epochs=100, batch_size=64, learning_rate=0.001, samples=60000, seed=1, activate=False)
for _ in range(100):
    run = TrainingRun.objects.create(
        status="completed", preset="original", parameters=parameters, queued_at=now, started_at=now, finished_at=now,
        test_accuracy=0.99, confusion=[[100] * 10] * 10, seq=103,
    )
    values = dict(loss=0.1234567, accuracy=0.9876543, val_loss=0.1234567, val_accuracy=0.9876543, learning_rate=0.001)
    Epoch.objects.bulk_create(Epoch(run=run, epoch=1 + n, seconds=1.234567, **values) for n in range(100))
""",
)
HEAD = (
    "attack", "how its connections ended", "MB before / peak / after",
    "honest p50 / p99 ms before", "during", "after", "honest that failed",
)  # fmt: skip


class Site(NamedTuple):
    target: Target
    processes: Callable[[], list[psutil.Process]]
    certificate: str = ""  # a file


def measure(attack: Attack, site: Site) -> list[str]:
    """Carry out one attack; its row."""
    visitors = Visitors(site.target.port, RATE, certificate=site.certificate)
    time.sleep(SETTLING_SECONDS + CALM_SECONDS)  # the visitors' own start is not counted
    weight, began = Weight(site.processes), time.monotonic()
    endings = carry_out(attack, site.target)
    ended, peak = time.monotonic(), weight.peak()
    time.sleep(CALM_SECONDS)
    after, asked = weight.now(), visitors.leave()
    times = ((began - CALM_SECONDS, began), (began, ended), (ended, ended + CALM_SECONDS))
    parts = [[one for one in asked if start <= one.due < end] for start, end in times]
    failed = Counter(one.status for part in parts for one in part if one.status != 200)
    return [
        attack.title,
        ", ".join(f"{number:,} × {how}" for how, number in endings.most_common()) + f" in {ended - began:.0f} s",
        f"{weight.seen[0]:.0f} / {peak:.0f} / {after:.0f}",
        *(latency(part) for part in parts),
        ", ".join(f"{number} × {status or 'no answer'}" for status, number in failed.items()) or "0",
    ]


def latency(asked: Sequence[Asked]) -> str:
    times = [1000 * (one.ended - one.due) for one in asked if one.status == 200]
    return f"{percentile(times, 0.5):.0f} / {percentile(times, 0.99):.0f}"


@contextmanager
def public() -> Iterator[Site]:
    with running_public() as site:
        site.manage(*FILL)
        yield Site(Target(site.https_port, site.trust()), site.members, str(site.folder / "fullchain.pem"))


@contextmanager
def alone() -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as stack:
        stack.manage(*FILL)
        yield Site(Target(stack.port), lambda: [psutil.Process(stack.processes["web"].pid)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("attacks", nargs="*", choices=[*ATTACKS, []], help="all, unless some are named")
    parser.add_argument("--alone", action="store_true", help="daphne without nginx")
    arguments = parser.parse_args()
    allow_descriptors(8192)
    print(f"{machine()}\n", flush=True)
    rows = []
    with (alone if arguments.alone else public)() as site:
        for number, name in enumerate(arguments.attacks or ATTACKS, start=1):
            rows.append(measure(replace(ATTACKS[name](), network=number), site))
            print(" | ".join(rows[-1]), flush=True)
    print(f"\n{RATE:.0f} honest drawings a second:\n\n{table(HEAD, rows)}")


if __name__ == "__main__":
    main()
