"""How long training takes, beside other ways and the processor's limit: ``python -m benchmarks.training``.

With --accuracy PRESET: how accurate a preset's models are, and how long a run takes from the request to its end.
Progress goes to standard error, tables in Markdown to standard output. Measure on a quiet machine: the product's
training process yields to others (nice 5), which the other ways do not.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks._ways.machine import Others, described
from training.learner.presets import PRESETS, TRAINING_DIGITS

Measurement = dict[str, Any]  # what benchmarks._ways prints
ROOT = Path(__file__).resolve().parent.parent
ONEDNN = "TF_ENABLE_ONEDNN_OPTS"  # the product and the floor set it themselves
EPOCHS = 3
BUSY = 0.05  # share of the processor in others' hands from which a comparison is worthless
# Program of benchmarks._ways, and the value of ONEDNN: None leaves it to TensorFlow and the processor.
WAYS: dict[str, tuple[str, str | None]] = {
    "original": ("original", None),
    "product": ("product", None),
    "pytorch": ("pytorch", None),
    "floor": ("floor", None),
    "original-without-onednn": ("original", "0"),
}
TITLES = {
    "original": "original's way",
    "product": "product: training process",
    "pytorch": "PyTorch, tuned",
    "floor": "matrix-product floor",
    "original-without-onednn": f"original's way, {ONEDNN}=0",
}


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def measure(way: str, **options: int | str | None) -> Measurement:
    """One way in a process of its own. Raises CalledProcessError when it fails; it has said why by then."""
    program, onednn = WAYS[way]
    environment = {name: value for name, value in os.environ.items() if name != ONEDNN}
    if onednn is not None:
        environment[ONEDNN] = onednn
    words = [word for name, value in options.items() if value is not None for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "benchmarks._ways", program, *words]
    others = Others()
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    result: Measurement = json.loads(done.stdout.splitlines()[-1]) | {"others": others.share()}
    say(f"    others used {result['others']:.0%} of the processor")
    return result


def quietness(measured: Iterable[Measurement]) -> str:
    """How far the machine was ours."""
    most = max(one["others"] for one in measured)
    verdict = "" if most <= BUSY else ": NOT A QUIET MACHINE, the figures are not to be relied on"
    return f"Other processes used at most {most:.0%} of the processor during a measurement{verdict}."


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Markdown; all columns but the first one are figures."""
    head = list(head)
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


class Rounds:
    """The measurements of one way, one of every round; seconds are per 60,000 digits."""

    def __init__(self, way: str, measured: list[Measurement]) -> None:
        self.way, self.measured = way, measured
        self.missing: str | None = measured[0].get("missing")

    def seconds(self, clock: str, epochs: slice = slice(None)) -> list[float]:
        """The chosen epochs of every round by `wall`, `cpu` or `serving`, where that was measured."""
        return [
            value * TRAINING_DIGITS / one["digits"]
            for one in self.measured
            for epoch in one.get("epochs", [])[epochs]
            if (value := epoch.get(clock)) is not None
        ]

    def median(self, *clocks: str) -> float | None:
        """The median epoch's seconds by these clocks together; None where one of them was not measured."""
        values = [self.seconds(clock) for clock in clocks]
        return sum(statistics.median(some) for some in values) if all(values) else None

    def each(self, name: str) -> list[Any]:
        return [one[name] for one in self.measured if one.get(name) is not None]

    def title(self) -> str:
        known = self.each("onednn")
        return TITLES[self.way] + (f" (oneDNN {'on' if known[0] else 'off'})" if known else "")

    def row(self) -> list[str]:
        if self.missing:
            return [self.title(), self.missing, *[""] * 4]
        accuracy = self.each("accuracy")
        first = slice(1) if self.way != "floor" else slice(0)  # the floor has no epochs that differ
        return [
            self.title(),
            *(spread(self.seconds(clock)) for clock in ("wall", "cpu")),
            *(spread(self.seconds(clock, first)) for clock in ("wall", "cpu")),
            f"{statistics.median(accuracy):.2%}" if accuracy else "–",
        ]


def spread(values: list[float], digits: int = 2) -> str:
    """The median, and from where to where the values go."""
    if not values:
        return "–"
    middle = f"{statistics.median(values):.{digits}f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def ways_table(ways: dict[str, Rounds]) -> str:
    head = ["60,000 digits", "wall s", "CPU s", "first epoch, wall s", "first epoch, CPU s", "test accuracy"]
    rows = [rounds.row() for rounds in ways.values()]
    if "product" in ways:
        serving = (spread(ways["product"].seconds("serving", chosen)) for chosen in (slice(None), slice(1)))
        rows.append(["product: worker + web + Redis", "", next(serving), "", next(serving), ""])
    return table(head, rows)


def ratios_table(ways: dict[str, Rounds]) -> str:
    """The product's medians over the others'; with all of its processes in a second figure of CPU seconds."""
    rows = []
    for way in (name for name in ways if name != "product" and not ways[name].missing):
        wall, cpu, whole = (
            ratio(ways["product"].median(*own), ways[way].median(other))
            for own, other in ((["wall"], "wall"), (["cpu"], "cpu"), (["cpu", "serving"], "cpu"))
        )
        rows.append([f"product / {ways[way].title()}", wall, cpu, whole])
    return table(["ratio of medians", "wall", "CPU, training process", "CPU, all processes"], rows)


def ratio(one: float | None, other: float | None) -> str:
    return f"{one / other:.2f}" if one and other else "–"


def start_table(starts: list[dict[str, float]]) -> str:
    """From the request to the news of the first batch, step by step."""
    longest = max(starts, key=len)
    rows = [[step, spread([start[step] for start in starts if step in start])] for step in longest]
    return table(["from the request to the first batch", "s"], rows)


def news_lines(product: Rounds) -> Iterator[str]:
    """What the watching clients saw of the batches."""
    if seen := product.each("news"):
        slowest, gap = min(n["per_second"] for n in seen), statistics.median(n["median_gap"] for n in seen)
        largest = max(n["largest_gap"] for n in seen)
        verdict = "at least five, as promised" if slowest >= 5 else "FEWER THAN FIVE"
        yield f"Batch events at the WebSocket: {slowest:.1f} a second in the slowest epoch ({verdict});"
        yield f"between two of an epoch {gap * 1e3:.0f} ms (median), at most {largest * 1e3:.0f} ms."
    yield f"Messages of the event stream: {spread(product.each('stream_messages'), 0)} a run."


def compare(arguments: argparse.Namespace) -> None:
    """All ways in turn, round after round, so that a change in the machine's speed meets all of them."""
    digits, epochs = arguments.digits or TRAINING_DIGITS, arguments.epochs or EPOCHS
    measured: dict[str, list[Measurement]] = {way: [] for way in arguments.only}
    for number in range(1, arguments.rounds + 1):
        for way in measured:
            say(f"round {number} of {arguments.rounds}: {TITLES[way]}")
            measured[way].append(measure(way, digits=digits, epochs=epochs, seed=number))
    ways = {way: Rounds(way, some) for way, some in measured.items()}
    print(f"Rounds: {arguments.rounds}, epochs in each: {epochs}. Median (least–most) of all epochs.")
    print(quietness(one for some in measured.values() for one in some))
    if digits != TRAINING_DIGITS:
        print(f"Measured on {digits} digits an epoch and scaled to {TRAINING_DIGITS}, which exaggerates fixed costs.")
    print(f"\n{ways_table(ways)}")
    if "product" in ways:
        if len(ways) > 1:
            print(ratios_table(ways))
        print(start_table(ways["product"].each("start")))
        print("\n".join(news_lines(ways["product"])))
    if "floor" in ways:
        floor = ways["floor"].measured[0]
        rates = spread(ways["floor"].each("gflop_per_second"), 0)
        print(f"Matrix product: {rates} GFLOP/s; an epoch's layers: {floor['mflop_per_digit']:.1f} MFLOP a digit.")


def accuracy(arguments: argparse.Namespace) -> None:
    """The preset with its own epochs and digits, unless told otherwise, through the whole product."""
    measured = []
    for seed in arguments.seeds:
        say(f"{arguments.accuracy}, seed {seed}")
        options = {"digits": arguments.digits, "epochs": arguments.epochs, "seed": seed}
        measured.append(measure("product", preset=arguments.accuracy, **options))
    figures = [(m["accuracy"], sum(epoch["wall"] for epoch in m["epochs"]), m["request_to_end"]) for m in measured]

    def row(
        name: str, of: Callable[[Iterable[float]], float], of_seconds: Callable[[Iterable[float]], float]
    ) -> list[str]:
        right, training, whole = zip(*figures, strict=True)
        return [name, f"{of(right):.2%}", f"{of_seconds(training):.2f}", f"{of_seconds(whole):.2f}"]

    rows = [
        [str(seed), f"{right:.2%}", f"{training:.2f}", f"{whole:.2f}"]
        for seed, (right, training, whole) in zip(arguments.seeds, figures, strict=True)
    ]
    rows += [row("mean", statistics.fmean, statistics.fmean), row("worst", min, max)]
    print(f"{quietness(measured)}\n")
    print(table([f"{arguments.accuracy}, seed", "test accuracy", "training s", "request to end s"], rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--digits", type=int, help=f"in an epoch; {TRAINING_DIGITS} or the preset's")
    parser.add_argument("--epochs", type=int, help=f"in a round; {EPOCHS} or the preset's")
    parser.add_argument("--only", nargs="+", choices=WAYS, default=list(WAYS), help="the ways to compare")
    parser.add_argument("--accuracy", choices=PRESETS, metavar="PRESET", help="measure this preset's runs instead")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="of the runs with --accuracy")
    arguments = parser.parse_args()
    print(f"{described()}\n", flush=True)
    accuracy(arguments) if arguments.accuracy else compare(arguments)


if __name__ == "__main__":
    main()
