"""Switching the model while drawings come in: ``python -m benchmarks.switching``.

A steady 100 requests a second, sent when they are due whether or not earlier ones were answered, against daphne and
against granian, while another of two versions is put into service twice a second through the API. Counted: requests
that failed, answers that name neither version or not the one that gave them (the second is less sure of the same
digits), and how long an answer still named the version that had been replaced.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence

from benchmarks._serving.measuring import Desk
from benchmarks._serving.product import prepared
from benchmarks._serving.servers import SERVERS
from benchmarks._serving.steady import Answer, Switch, Versions, run
from benchmarks._serving.tables import table
from benchmarks._ways.machine import described

HEAD = [
    "server",
    *("requests", "failed", "naming neither version", "naming the wrong one", "switches"),
    *("old version named after a switch, most ms", "p50 / p99 ms"),
]


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


def mislabelled(answers: Sequence[Answer]) -> int:
    """Answers whose confidence is not the one that the version they name has in that digit.

    A version is as sure of the same drawing every time. Raises AssertionError where the versions cannot be told apart.
    """
    said: dict[tuple[int, int | None], Counter[float | None]] = defaultdict(Counter)
    for answer in answers:
        said[answer.digit, answer.model][answer.confidence] += 1
    usual = {key: counts.most_common(1)[0][0] for key, counts in said.items()}
    told_apart = {(digit, confidence) for (digit, _), confidence in usual.items()}
    assert len(told_apart) == len(usual), f"the versions are equally sure: {usual}"
    return sum(answer.confidence != usual[answer.digit, answer.model] for answer in answers)


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
        str(mislabelled(right)),
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
    print(table(HEAD, rows))


if __name__ == "__main__":
    main()
