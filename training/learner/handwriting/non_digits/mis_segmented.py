"""What a wrong cut through a line of digits leaves: fragments, overlapping pairs, a digit with a piece of another."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.learner.handwriting.lines import Drawing, Rng, either
from training.learner.handwriting.non_digits.figures import place_in_row
from training.learner.handwriting.pen import UP, by_hand, draw_strokes
from training.learner.handwriting.shapes import SHAPES

Ink = NDArray[np.uint8]  # [height, width], ink 255 on 0
HEIGHT, MARGIN = 70, 12  # of a line of digits, in pixels
# The digit, the side that is kept, and its least and largest share of the width, where a fragment resembles no digit:
# the right of an eight is a three, and that of a seven a one.
FRAGMENTS = (
    (0, "left", 0.28, 0.72),
    (0, "right", 0.28, 0.72),
    (2, "left", 0.3, 0.5),
    (3, "left", 0.3, 0.55),
    (4, "left", 0.28, 0.38),
    (5, "left", 0.4, 0.5),
    (5, "right", 0.35, 0.5),
    (6, "left", 0.3, 0.42),
    (6, "right", 0.3, 0.5),
    (7, "left", 0.3, 0.5),
    (8, "left", 0.3, 0.5),
    (9, "left", 0.3, 0.55),
)
STRAIGHTEST = 0.26  # spread across by spread along; straighter fragments resemble a one
# A piece is seen beside a digit if it is this much of the digit's ink and height.
LEAST_INK, LEAST_HEIGHT = 0.2, 0.45


def write(digits: list[int], rng: Rng, least_gap: float, most_gap: float) -> list[Ink]:
    """Draw a line of digits with one pen; return the ink of each in the whole line's picture."""
    parts = [by_hand(SHAPES[digit](rng), rng) for digit in digits]
    if digits[0] == 0:
        parts[0] = parts[0][:1]  # half of a slash makes a four or a six of half a zero
    row = place_in_row(parts, rng, least_gap, most_gap)
    brush = HEIGHT * np.exp(rng.uniform(np.log(0.05), np.log(0.17)))
    whole = np.concatenate([stroke for part in row for stroke in part])
    low, high = whole.min(axis=0), whole.max(axis=0)
    scale = HEIGHT / max(float(high[1] - low[1]), 1e-6)
    width, height = (int(side) for side in np.ceil((high - low) * scale + 2 * MARGIN))

    def ink(part: Drawing) -> Ink:
        image = Image.new("L", (width * UP, height * UP), 255)
        draw_strokes(image, [((stroke - low) * scale + MARGIN) * UP for stroke in part], brush * UP)
        return 255 - np.asarray(image.reduce(UP))

    return [ink(part) for part in row]


def cut(ink: Ink, side: str, share: float, rng: Rng) -> Ink:
    """Keep one side of a nearly upright cut: `share` of the ink's width."""
    columns = np.flatnonzero((ink > 127).any(axis=0))
    left, right = (columns[0], columns[-1] + 1) if len(columns) else (0, 1)
    rows, across = np.indices(ink.shape)
    at = right - share * (right - left) if side == "right" else left + share * (right - left)
    at = at + np.tan(np.deg2rad(rng.normal(0, 10))) * (rows - ink.shape[0] / 2)
    return np.where((across < at) == (side == "left"), ink, 0).astype(np.uint8)


def height_of(ink: Ink) -> int:
    """Return the height from the highest to the lowest ink, in pixels."""
    rows = np.flatnonzero((ink > 127).any(axis=1))
    return int(np.ptp(rows)) + 1 if len(rows) else 0


def straightness(ink: Ink) -> float:
    """Return the ink's standard deviation across its main direction by that along it: 0 for a thin straight line."""
    across, along = np.sqrt(np.maximum(np.linalg.eigvalsh(np.cov(np.nonzero(ink > 127))), 0))
    return float(across / along)


def as_image(*parts: Ink) -> Image.Image:
    """Return the ink of all parts, black on white."""
    return Image.fromarray(255 - np.maximum.reduce(parts))


def fragment(rng: Rng) -> Image.Image:
    """Draw one side of a digit."""
    while True:
        digit, side, least, most = FRAGMENTS[int(rng.integers(len(FRAGMENTS)))]
        kept = cut(write([digit], rng, 0, 0)[0], side, rng.uniform(least, most), rng)
        if height_of(kept) > HEIGHT / 3 and straightness(kept) > STRAIGHTEST:
            return as_image(kept)


def overlapping(rng: Rng) -> Image.Image:
    """Draw two digits that touch or overlap, often the same one twice."""
    first = int(rng.integers(10))
    second = first if first != 1 and either(rng, 0.25) else int(rng.integers(10))
    return as_image(*write([first, second], rng, -0.2 if first != 1 != second else -0.05, 0.1))


def with_piece(rng: Rng) -> Image.Image:
    """Draw a digit and the near side of its neighbour."""
    while True:
        inks = write([int(digit) for digit in rng.integers(0, 10, 2)], rng, -0.1, 0.25)
        side = "left" if either(rng, 0.5) else "right"  # of the neighbour
        digit, neighbour = inks if side == "left" else inks[::-1]
        piece = cut(neighbour, side, rng.uniform(0.15, 0.6), rng)
        if stands_out(piece, digit):
            return as_image(digit, piece)


def between(rng: Rng) -> Image.Image:
    """Draw the near sides of two neighbours: what two wrong cuts leave. Half a one is a one, so neither is one."""
    while True:
        left, right = write([int(digit) for digit in rng.choice([0, 2, 3, 4, 5, 6, 7, 8, 9], 2)], rng, -0.1, 0.25)
        left, right = cut(left, "right", rng.uniform(0.3, 0.7), rng), cut(right, "left", rng.uniform(0.3, 0.7), rng)
        if stands_out(left, right) and stands_out(right, left):
            return as_image(left, right)


def stands_out(piece: Ink, digit: Ink) -> bool:
    """Return whether the piece is large enough to be seen beside the digit, and tall enough to be no flag or foot."""
    beside = np.where(digit > 127, 0, piece)
    is_large = int((beside > 127).sum()) > LEAST_INK * int((digit > 127).sum())
    return is_large and height_of(beside) > LEAST_HEIGHT * height_of(digit)
