"""How unsure the shipped model is of what wrong cuts through a number leave: ``python -m benchmarks.wrong_cuts``.

MNIST's test digits, near, touching or overlapping, are cut at the wrong places, and normalized like a segment.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import shipped_classifier
from benchmarks.numbers import GAPS, MOST_OVERLAP, Ink, digits_by_pen, enlarge
from benchmarks.support.common import machine, table
from recognition.imaging.polarity import bounding_box
from recognition.imaging.preprocessing import Grid, normalize
from recognition.imaging.segmentation import Ink as FoundInk
from recognition.prediction.classifier import Classifier
from recognition.prediction.digits import network_doubt

HEIGHT, COUNT = 100, 1000
MIN_PIECE = 0.2  # of the digit's ink, and half of its height; less is a speck beside the digit
# Digits and the side that is kept, where the fragment resembles no digit: the right of an eight is a three.
FRAGMENTS = ((0, "left"), (0, "right"), (2, "left"), (3, "left"), (4, "left"), (7, "left"), (8, "left"), (9, "left"))
STRAIGHTEST = 0.26  # spread across by spread along; straighter fragments are a one
Rng = np.random.Generator


def digit_of(rng: Rng, label: int | None = None) -> Ink:
    """Return the ink of a test digit."""
    images, labels = digits_by_pen()
    row = int(rng.integers(len(labels)) if label is None else rng.choice(np.flatnonzero(labels == label)))
    return enlarge(images[row], HEIGHT)


def cut(ink: Ink, side: str, share: float, rng: Rng) -> Ink:
    """Keep one side of a slanted cut: `share` of the ink's width."""
    inked = np.flatnonzero((ink > 0.5).any(axis=0))
    left, right = inked[0], inked[-1] + 1
    rows, columns = np.indices(ink.shape)
    at = left + (share if side == "left" else 1 - share) * (right - left)
    at = at + np.tan(rng.normal(0, 0.2)) * (rows - ink.shape[0] / 2)
    return np.where((columns < at) == (side == "left"), ink, 0).astype(np.float32)


def neighbours(rng: Rng) -> tuple[Ink, Ink]:
    """Return the ink of two digits, each in the picture of both."""
    left, right = digit_of(rng), digit_of(rng)
    gap = HEIGHT * rng.uniform(*GAPS[str(rng.choice(["near", "touching", "overlapping"]))])
    start = left.shape[1] + round(max(gap, -MOST_OVERLAP * min(left.shape[1], right.shape[1])))
    shape = max(left.shape[0], right.shape[0]), max(left.shape[1], start + right.shape[1])
    inks = np.zeros((2, *shape), np.float32)
    inks[0, : left.shape[0], : left.shape[1]] = left
    inks[1, : right.shape[0], start : start + right.shape[1]] = right
    return inks[0], inks[1]


def fragment(rng: Rng) -> Ink | None:
    """Return one side of a digit, 30 to 55 % of its width, or None if it is straight."""
    label, side = FRAGMENTS[int(rng.integers(len(FRAGMENTS)))]
    kept = cut(digit_of(rng, label), side, rng.uniform(0.3, 0.55), rng)
    across, along = np.sqrt(np.linalg.eigvalsh(np.cov(np.nonzero(kept > 0.5))))
    return kept if across > STRAIGHTEST * along else None


def with_piece(rng: Rng) -> Ink | None:
    """Return a digit and 15 to 60 % of the width of its neighbour, or None if the piece is but a speck."""
    left, right = neighbours(rng)
    digit, other, side = (left, right, "left") if rng.random() < 0.5 else (right, left, "right")
    piece = cut(other, side, rng.uniform(0.15, 0.6), rng)
    seen = (piece > 0.5) & (digit <= 0.5)
    heights = [np.ptp(np.flatnonzero(rows)) if rows.any() else 0 for rows in (seen.any(axis=1), digit.any(axis=1))]
    is_speck = seen.sum() < MIN_PIECE * (digit > 0.5).sum() or heights[0] < heights[1] / 2
    return None if is_speck else np.maximum(digit, piece)


def pair(rng: Rng) -> Ink:
    return np.maximum(*neighbours(rng))


def whole(rng: Rng) -> Ink:
    return digit_of(rng)


KINDS: dict[str, Callable[[Rng], Ink | None]] = {
    "fragment of a digit": fragment,
    "digit with a piece of its neighbour": with_piece,
    "two digits": pair,
    "whole digit": whole,
}


def as_segment(ink: Ink) -> Grid:
    levels = np.rint(255 * np.pad(ink, 4)).astype(np.uint8)
    return normalize(FoundInk(levels, is_dark=False, background=0, box=bounding_box(levels), mask=None))


def draw(kind: str, count: int = COUNT) -> NDArray[np.float32]:
    """Return `count` pictures of a kind, the same in every run, without those that may be a digit."""
    inks = (KINDS[kind](np.random.default_rng((13, row))) for row in range(count))
    return np.stack([as_segment(ink) for ink in inks if ink is not None])


def uncertain(model: Classifier, probabilities: NDArray[np.float64]) -> float:
    """Return the share of predictions, [N, 10], that the product calls uncertain."""
    return float(np.mean([bool(network_doubt(model, row)) for row in probabilities.tolist()]))


def main() -> None:
    model = shipped_classifier()
    rows = []
    for kind in KINDS:
        probabilities = model.probabilities(draw(kind))
        confident = np.mean(probabilities.max(axis=1) >= 0.9)
        rows.append([kind, str(len(probabilities)), f"{uncertain(model, probabilities):.1%}", f"{confident:.1%}"])
    print(machine())
    print(table(["segment", "pictures", "uncertain", "90 % confident"], rows))


if __name__ == "__main__":
    main()
