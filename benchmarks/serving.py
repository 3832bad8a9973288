"""Requests a second that one core serves, beside other servers: ``python -m benchmarks.serving``.

Every server gets one core, the load another: 16 kept connections, each with one request under way. In each round every
server is started, asked for ten digits, loaded with each kind of request in turn, and ended, so that no other stands
idle beside it. The servers that the product is compared with are installed into environments of their own under
`var/benchmarks` by the first run; they do the product's own work on the product's own ONNX file, except for the
plain service. Progress goes to standard error, tables in Markdown to standard output. Measure on a quiet machine.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence

from benchmarks._serving import alone, load, stages, tables
from benchmarks._serving.environments import NotInstalled
from benchmarks._serving.kinds import KINDS
from benchmarks._serving.measuring import Desk, Visit
from benchmarks._serving.processes import NotServing, on
from benchmarks._serving.product import prepared
from benchmarks._serving.resident import Weight, weigh
from benchmarks._serving.servers import NOTHING, SERVERS
from benchmarks._ways.machine import described

FASTER = 3  # the load generator must be this many times as fast as the fastest server


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def rounds(
    desk: Desk, names: Sequence[str], kinds: Sequence[str], count: int, seconds: float
) -> dict[str, list[Visit]]:
    """Every server in turn, `count` times; one that cannot be measured is named, and left out from then on."""
    visits: dict[str, list[Visit]] = {}
    failed: dict[str, str] = {}
    for number in range(1, count + 1):
        for name in (name for name in names if name not in failed):
            try:
                visit = desk.visit(name, kinds, seconds)
            except (NotInstalled, NotServing) as error:
                failed[name] = f"{type(error).__name__}: {error}"
                say(f"round {number}: {SERVERS[name].title} is left out. {failed[name]}")
                continue
            visits.setdefault(name, []).append(visit)
            rates = ", ".join(f"{kind} {one.rate:.0f}/s {one.cpu:.2f} ms" for kind, one in visit.kinds.items())
            say(f"round {number}: {SERVERS[name].title}: {rates}")
    for name, why in failed.items():
        print(f"Left out: {SERVERS[name].title}. {why}\n")
    return visits


def headroom(desk: Desk, visits: dict[str, list[Visit]]) -> str:
    """Whether the load generator could have been what was measured."""
    tree, port = desk.start("nothing", NOTHING)
    try:
        with on(desk.loading):
            desk.wait(tree, NOTHING, port)
            result = load.run(load.Load(port, KINDS["canvas"].requests(NOTHING, port), 2.0))
    finally:
        tree.stop()
    most = result.answers / result.seconds
    singles = {kind for kind, one in KINDS.items() if one.size == 1}
    rates = (one.rate for made in visits.values() for visit in made for k, one in visit.kinds.items() if k in singles)
    fastest = max(rates, default=0)
    verdict = "" if most > FASTER * fastest else ": TOO LITTLE, the load may be what was measured"
    return f"The load generator drives {most:,.0f} colour PNGs a second into a server that does nothing{verdict}."


def heaviness(desk: Desk, names: Sequence[str], predictions: int) -> dict[str, Weight]:
    """What the product's web processes weigh after so many predictions."""
    weights = {}
    for name in (name for name in names if SERVERS[name].product and predictions):
        say(f"{SERVERS[name].title}: {predictions} predictions")
        try:
            weights[name] = weigh(desk, name, predictions)
        except NotServing as error:
            say(f"not weighed: {error}")
    return weights


def bare(kinds: Sequence[str], desk: Desk, count: int, seconds: float) -> str:
    """The work alone, without HTTP."""
    rows = []
    for kind in (kind for kind in kinds if KINDS[kind].size == 1):
        taken = [alone.milliseconds(kind, seconds, desk.serving) for _ in range(count)]
        rows.append([KINDS[kind].title, f"{1000 / statistics.median(taken):.0f}", f"{statistics.median(taken):.2f}"])
    return tables.table(["the work alone, no HTTP", "a second of CPU", "CPU ms each"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="of load, for each server and kind in each round")
    parser.add_argument(
        "--only", nargs="+", choices=SERVERS, default=list(SERVERS), metavar="SERVER", help=", ".join(SERVERS)
    )
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--predictions", type=int, default=10_000, help="before a process is weighed; 0: not at all")
    parser.add_argument("--stages", action="store_true", help="only the time of each part of a request")
    task = parser.parse_args()
    print(f"{described()}\n")
    with prepared() as stack:
        desk = Desk(stack.folder, stack.environment)
        if not task.stages:
            servers(desk, task)
        say("the parts of a request")
        print(stages.measured(stack.environment, desk.serving))


def servers(desk: Desk, task: argparse.Namespace) -> None:
    """The tables of the servers."""
    where = "One core" if desk.serving else "NOT PINNED to one core"
    print(f"{where}, 16 connections; medians of {task.rounds} rounds of {task.seconds:g} s.\n")
    visits = rounds(desk, task.only, task.kinds, task.rounds, task.seconds)
    for kind in task.kinds:
        print(tables.of_kind(kind, visits))
    if visits:
        print(bare(task.kinds, desk, task.rounds, task.seconds / 4))
        print(tables.of_starts(visits, heaviness(desk, list(visits), task.predictions)))
        print(f"{headroom(desk, visits)}\n{tables.quietness(visits)}\n")


if __name__ == "__main__":
    main()
