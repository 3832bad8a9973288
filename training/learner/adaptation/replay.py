"""Synthetic drawings that adapting runs replay beside MNIST's digits. Drawn once, as drawing them takes half a minute.

`python -m training.learner.adaptation.replay` draws them and writes the file anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.learner.handwriting import pen
from training.learner.handwriting.non_digits import generate_non_digits

FILE = Path(__file__).resolve().parents[2] / "data" / "replay" / "drawings.npz"
DIGITS, NON_DIGITS, JUDGED = 12_000, 6_000, 1_500
SEED, LEVELS = 2026, 16  # grey levels: a third of the size of 256


@dataclass(frozen=True)
class Drawings:
    """Pictures float32 [N, 28, 28]: `digits` with their `labels`, `non_digits`, and more of these that only judge."""

    digits: NDArray[np.float32]
    labels: NDArray[np.int64]
    non_digits: NDArray[np.float32]
    judged: NDArray[np.float32]


@lru_cache(maxsize=1)
def load() -> Drawings:
    """Load the file, once in a process."""
    with np.load(FILE) as arrays:
        pictures = {name: arrays[name].astype(np.float32) / np.float32(LEVELS - 1) for name in ("digits", "non_digits")}
        return Drawings(
            pictures["digits"],
            arrays["labels"].astype(np.int64),
            pictures["non_digits"][:NON_DIGITS],
            pictures["non_digits"][NON_DIGITS:],
        )


def draw() -> None:
    """Draw everything, and write the file."""
    labels = np.tile(np.arange(10), DIGITS // 10)
    digits = pack(pen.digits(labels, SEED))
    non_digits = pack(generate_non_digits(NON_DIGITS + JUDGED, SEED))
    np.savez_compressed(FILE, digits=digits, labels=labels.astype(np.uint8), non_digits=non_digits)


def pack(pictures: Iterator[NDArray[np.float32]]) -> NDArray[np.uint8]:
    return np.stack([np.rint(picture * (LEVELS - 1)).astype(np.uint8) for picture in pictures])


if __name__ == "__main__":
    draw()
