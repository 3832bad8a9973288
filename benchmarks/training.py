"""How long training takes, beside other ways and the processor's limit: ``python -m benchmarks.training``.

All ways in turn, round after round, so that a change in the machine's speed meets all of them. With --accuracy PRESET:
how accurate a preset's models are, and how long a run takes from the request to its end. Measure on a quiet machine:
the product's training process yields to others (nice 5), which the other ways do not.
"""

import argparse
import json
import statistics
import subprocess
import sys
from typing import Any

from benchmarks.support.common import ROOT, OtherLoad, machine, say, spread, table
from benchmarks.support.environments import python_with
from benchmarks.support.ways import WAYS
from training.learner.presets import PRESETS, TRAINING_DIGITS

Measurement = dict[str, Any]
PYTORCH = ["torch==2.13.0", "numpy", "psutil"]
TITLES = {
    "flask": "as the Flask application, oneDNN off",
    "flask-onednn": "the same, oneDNN on",
    "pytorch": "tuned PyTorch",
    "product": "product: training process",
    "floor": "matrix-product floor",
}


def measure(way: str, **options: int | str | None) -> Measurement:
    """Raises CalledProcessError when a way fails, which has said why by then, and Unusable without PyTorch."""
    words = [word for name, value in options.items() if value is not None for word in (f"--{name}", str(value))]
    python = python_with(way, PYTORCH) if way == "pytorch" else sys.executable
    command = [python, "-m", "benchmarks.support.ways", way, *words]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def seconds(measured: list[Measurement], clock: str, epochs: slice = slice(None)) -> list[float]:
    """The chosen epochs of every round by `wall`, `cpu` or `serving`, for 60,000 digits."""
    return [
        epoch[clock] * TRAINING_DIGITS / one["digits"]
        for one in measured
        for epoch in one.get("epochs", [])[epochs]
        if clock in epoch
    ]


def ratio(one: list[float], other: list[float]) -> str:
    return f"{statistics.median(one) / statistics.median(other):.2f}" if one and other else "–"


def row(way: str, measured: list[Measurement], product: list[Measurement]) -> list[str]:
    accuracy = [one["accuracy"] for one in measured if "accuracy" in one]
    clocks = [seconds(measured, clock) for clock in ("wall", "cpu")]
    own = [seconds(product, clock) for clock in ("wall", "cpu")]
    return [
        TITLES[way],
        *map(spread, clocks),
        spread(seconds(measured, "wall", slice(1))),
        f"{statistics.median(accuracy):.2%}" if accuracy else "–",
        *(ratio(one, other) for one, other in zip(own, clocks, strict=True)),
    ]


def compare(arguments: argparse.Namespace) -> None:
    digits, epochs = arguments.digits or TRAINING_DIGITS, arguments.epochs or 3
    measured: dict[str, list[Measurement]] = {way: [] for way in arguments.only}
    for number in range(1, arguments.rounds + 1):
        for way in measured:
            say(f"round {number} of {arguments.rounds}: {TITLES[way]}")
            measured[way].append(measure(way, digits=digits, epochs=epochs, seed=number))
    print(f"Rounds: {arguments.rounds}, epochs in each: {epochs}, of {digits} digits. Medians (range) of all epochs.\n")
    product = measured.get("product", [])
    head = ["60,000 digits", "wall s", "CPU s", "first epoch, wall s", "test accuracy", "product / this, wall", "CPU"]
    print(table(head, [row(way, some, product) for way, some in measured.items()]))
    if product:
        print(f"Worker, web and Redis beside it: {spread(seconds(product, 'serving'))} CPU s an epoch.")
        print(f"From the request to the first batch: {spread([one['request_to_first_batch'] for one in product])} s.")
        print(f"Between two batch events at the WebSocket: {1000 * product[0]['median_gap']:.0f} ms (median).")
    for floor in measured.get("floor", [])[:1]:
        print(f"Matrix product: {floor['gflop_per_second']:.0f} GFLOP/s.")


def accuracy(arguments: argparse.Namespace) -> None:
    """The preset with its own epochs and digits, unless told otherwise, through the whole product."""
    figures = []
    for seed in arguments.seeds:
        say(f"{arguments.accuracy}, seed {seed}")
        options = {"digits": arguments.digits, "epochs": arguments.epochs, "seed": seed, "preset": arguments.accuracy}
        one = measure("product", **options)
        epochs = one["epochs"]
        used = [sum(epoch[clock] for epoch in epochs) for clock in ("wall", "cpu")]
        figures.append((one["accuracy"], *used, one["request_to_end"]))

    columns = list(zip(*figures, strict=True))
    worst = min(columns[0]), *map(max, columns[1:])
    names = [*map(str, arguments.seeds), "mean", "worst"]
    rows = [
        [name, f"{right:.2%}", *(f"{seconds:.2f}" for seconds in clocks)]
        for name, (right, *clocks) in zip(names, [*figures, tuple(map(statistics.fmean, columns)), worst], strict=True)
    ]
    head = ["test accuracy", "training, wall s", "training, CPU s", "request to end, s"]
    print(table([f"{arguments.accuracy}, seed", *head], rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--digits", type=int, help=f"in an epoch; {TRAINING_DIGITS} or the preset's")
    parser.add_argument("--epochs", type=int, help="in a round; 3 or the preset's")
    parser.add_argument("--only", nargs="+", choices=WAYS, default=list(WAYS), help="the ways to compare")
    parser.add_argument("--accuracy", choices=PRESETS, metavar="PRESET", help="measure this preset's runs instead")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="of the runs with --accuracy")
    arguments = parser.parse_args()
    others = OtherLoad()
    print(f"{machine()}\n", flush=True)
    accuracy(arguments) if arguments.accuracy else compare(arguments)
    print(others.verdict())


if __name__ == "__main__":
    main()
