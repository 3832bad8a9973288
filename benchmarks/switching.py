"""Switching the model while drawings come in: ``python -m benchmarks.switching``.

A steady 100 requests a second, sent when they are due whether or not earlier ones were answered, against daphne and
against granian, while another of two versions is put into service twice a second through the API. Counted: requests
that failed, answers that name neither version, and how long an answer still named the version that had been replaced.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks._serving.measuring import Desk
from benchmarks._serving.product import prepared
from benchmarks._serving.servers import SERVERS
from benchmarks._serving.steady import Answer, Switch, Versions, run
from benchmarks._serving.tables import table
from benchmarks._ways.machine import described

HEAD = ["", *("requests", "failed", "naming neither version", "switches", "old version named after a switch, most ms")]


def overdue(answers: Sequence[Answer], switches: Sequence[Switch]) -> float:
    """The most milliseconds after a switch was confirmed that a request was sent whose answer named the old version.

    Only up to the next switch, which makes the old version the right one again.
    """
    most = 0.0
    for switch, following in zip(switches, [*switches[1:], None], strict=True):
        end = following.asked if following else float("inf")
        late = [a.sent - switch.confirmed for a in answers if switch.confirmed < a.sent < end and a.model == switch.old]
        most = max([most, *late])
    return 1000 * most


def row(title: str, answers: Sequence[Answer], switches: Sequence[Switch], versions: Versions) -> list[str]:
    right = [answer for answer in answers if answer.status == 200]
    strange = sum(answer.model not in versions.ids for answer in right)
    times = sorted(1000 * (answer.ended - answer.due) for answer in answers)
    p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
    failed = [answer.status for answer in answers if answer.status != 200]
    return [
        title,
        str(len(answers)),
        f"{len(failed)} {sorted(set(failed))}" if failed else "0",
        str(strange),
        str(len(switches)),
        f"{overdue(answers, switches):.0f}",
        f"{p50:.0f} / {p99:.0f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="for each server")
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second")
    parser.add_argument("--every", type=float, default=0.5, help="seconds between two switches")
    product = [name for name, server in SERVERS.items() if server.product]
    parser.add_argument("--only", nargs="+", choices=product, default=product)
    task = parser.parse_args()
    print(
        f"{described()}\n\n{task.rate:g} requests a second for {task.seconds:g} s, a switch every {task.every:g} s.\n"
    )
    rows = []
    with prepared() as stack:
        versions = Versions.published(stack)
        desk = Desk(stack.folder, stack.environment)
        for name in task.only:
            print(SERVERS[name].title, file=sys.stderr, flush=True)
            tree, port = desk.start(name, SERVERS[name])
            try:
                desk.wait(tree, SERVERS[name], port)
                answers, switches = run(port, versions, task.rate, task.seconds, task.every)
            finally:
                tree.stop()
            rows.append(row(SERVERS[name].title, answers, switches, versions))
    print(table([*HEAD, "p50 / p99 ms"], rows))


if __name__ == "__main__":
    main()
