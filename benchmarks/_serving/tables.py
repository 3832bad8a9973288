"""The tables, in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence

from benchmarks._serving.kinds import KINDS
from benchmarks._serving.measuring import Measurement, Visit, middle
from benchmarks._serving.resident import Weight
from benchmarks._serving.servers import PLAIN, SERVERS

BUSY = 0.05  # share of the server's core in others' hands from which a figure is not to be relied on


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """All columns but the first one are figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def of_kind(kind: str, visits: Mapping[str, Sequence[Visit]]) -> str:
    """Every server that takes this kind of request, the slowest first; medians of the rounds."""
    rounds = {name: [visit.kinds[kind] for visit in made if kind in visit.kinds] for name, made in visits.items()}
    found = {name: middle(measured) for name, measured in rounds.items() if measured}
    one = KINDS[kind]
    title = f"**{one.title}** ({one.weight():.1f} kB of JSON)\n"
    if not found:
        return f"{title}\nNo server measured here takes it.\n"
    what = "requests/s" if one.size == 1 else "drawings/s"
    each = "a request" if one.size == 1 else "a drawing"
    head = ["server", what, "times the plain service", f"CPU ms {each}", "p50 / p99 ms a request", "memory MB"]
    plain = plain_rate(kind, visits)
    rows = [row(name, found[name], plain) for name in sorted(found, key=lambda name: found[name].rate)]
    return f"{title}\n{table(head, rows)}"


def plain_rate(kind: str, visits: Mapping[str, Sequence[Visit]]) -> float | None:
    """What the plain service does with this picture; it takes one at a time, so batches are held against that."""
    single = kind.partition("-")[0]
    rates = [visit.kinds[single].rate for visit in visits.get(PLAIN, ()) if single in visit.kinds]
    return statistics.median(rates) if rates else None


def row(name: str, measured: Measurement, plain: float | None) -> list[str]:
    failed = f" ({sum(measured.failures.values())} FAILED: {measured.failures})" if measured.failures else ""
    return [
        SERVERS[name].title + failed,
        f"{measured.rate:.0f}" if measured.rate >= 100 else f"{measured.rate:.1f}",
        f"{measured.rate / plain:.1f}" if plain else "",
        f"{measured.cpu:.2f}",
        f"{measured.p50:.0f} / {measured.p99:.0f}",
        f"{measured.memory:.0f}",
    ]


def of_starts(visits: Mapping[str, Sequence[Visit]], weights: Mapping[str, Weight]) -> str:
    """Seconds to the first answer, and what the product's web processes weigh."""
    counts = {weight.answers for weight in weights.values()}
    after = f"MB after {min(counts):,} predictions" if counts else "MB after many predictions"
    head = ["server", "seconds from start to first answer", "MB of the web process then", after]
    rows = []
    for name, made in visits.items():
        weight = weights.get(name)
        began = f"{statistics.median(visit.first_answer for visit in made):.2f}"
        rows.append([SERVERS[name].title, began, *([f"{weight.first:.0f}", f"{weight.last:.0f}"] if weight else "  ")])
    return table(head, rows)


def quietness(visits: Mapping[str, Sequence[Visit]]) -> str:
    """How far the server's core was the server's."""
    shares = [one.others for made in visits.values() for visit in made for one in visit.kinds.values()]
    if not shares:
        return "Nothing was measured."
    verdict = "" if max(shares) <= BUSY else ": NOT A QUIET MACHINE, the figures are not to be relied on"
    return (
        f"Other processes, and the kernel's own work, used {statistics.median(shares):.0%} of the server's core in "
        f"the middle measurement and {max(shares):.0%} in the worst{verdict}."
    )
