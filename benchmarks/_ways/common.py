"""What the ways share: the recipe they are compared by, the dataset, and the two clocks."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from pathlib import Path

from training.learner import dataset
from training.learner.presets import PRESETS

MNIST = Path(__file__).resolve().parents[2] / "training" / "data" / "mnist"
ORIGINAL = PRESETS["original"]
TRAINING, TESTING = "train", "t10k"


def digits_and_epochs(task: Namespace) -> tuple[int, int]:
    """How many digits an epoch of this task has, and how many epochs there are."""
    return task.digits or ORIGINAL.samples, task.epochs or ORIGINAL.epochs


def digits(part: str, count: int | None = None) -> dataset.Digits:
    """The first `count` digits of a part of MNIST; all of them when no number is given."""
    return dataset.load(MNIST, part)[slice(count)]


def say(text: str) -> None:
    print(f"    {text}", file=sys.stderr, flush=True)


class Clock:
    """Wall and CPU seconds of this process, all of its threads, since it was made or last read."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        """The seconds since the last reading."""
        wall, cpu = time.perf_counter(), time.process_time()
        passed = {"wall": wall - self.wall, "cpu": cpu - self.cpu}
        self.wall, self.cpu = wall, cpu
        return passed
