"""Score the segments of a line of digits: how likely each is exactly one digit, whole and alone.

A segment's score is a weighted sum of what the network and its shape say. The score of a reading is the sum of its
segments' scores, and the weights maximize the likelihood of the true readings among all (a conditional random field:
Lafferty, McCallum, Pereira, ICML 2001). ``python -m benchmarks.number_weights`` finds them.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recognition.imaging.numbers.lattice import Shape
from recognition.imaging.numbers.pieces import NO_CUT

Floats = NDArray[np.float64]
Column = NDArray[np.float64] | NDArray[np.bool_]

# Median and standard deviation of log(width / height) of each digit, 0 to 9.
ASPECT = (-0.06, -0.86, -0.03, -0.19, -0.21, -0.05, -0.30, -0.23, -0.25, -0.39)
ASPECT_SPREAD = (0.21, 0.46, 0.23, 0.24, 0.22, 0.27, 0.23, 0.23, 0.24, 0.22)
PAIR_WIDTH = 1.2  # digit heights; a narrower component is rarely two digits
MUCH_INK = 3.0  # stroke widths; what a cut crosses beyond that has a weight of its own

WEIGHTS = {
    "segment": 0.21,
    "log confidence": 1.80,
    "log of the rest": -1.21,
    "entropy": 0.26,
    "two likeliest": 0.36,
    "too narrow": -0.08,
    "too wide": -0.11,
    "too low": -2.63,
    "too high": 0.20,
    "cost of the cuts": -0.59,
    "cuts": -0.02,
    "cuts of a narrow component": -0.91,
    "has a gap": -0.18,
    "gap": 0.05,
    "other parts": -0.13,
    "one": -1.01,
    "one, cost of the cuts": -0.18,
    "one, cuts": -0.07,
    "wider than high": -0.64,
    "other pieces": -0.21,
    "off the line": -0.81,
    "extended": -0.52,
    "extended, cost of the cuts": -0.05,
    "cuts through much ink": -0.06,
    "width": -0.25,
    "zero": 0.66,
    "seven": -1.02,
    "four": 0.42,
    "six": 0.18,
}


def score(shapes: Sequence[Shape], probabilities: Floats) -> Floats:
    """Return the score of each segment, float64 [N], from its shape and its probabilities, float64 [N, 10]."""
    return features(shapes, probabilities) @ np.array(list(WEIGHTS.values()))


def features(shapes: Sequence[Shape], probabilities: Floats) -> Floats:
    """Return what the weights are multiplied with, float64 [N, weights], in the order of WEIGHTS.

    Constant factors bring the features to similar ranges, so that one learning rate and decay fits all.
    """
    digits = probabilities.argmax(axis=1)
    columns = network_features(probabilities) | shape_features(shapes, digits)
    return np.column_stack([columns[name] for name in WEIGHTS]).astype(float)


def network_features(probabilities: Floats) -> dict[str, Column]:
    """Return the features that the network's probabilities alone give, [N] each, by name."""
    ranked = np.sort(probabilities, axis=1)
    best, second = ranked[:, -1], ranked[:, -2]
    return {
        "log confidence": np.log(best),
        "log of the rest": np.log(np.maximum(1 - best, 1e-6)) / 4,
        "entropy": -(probabilities * np.log(np.maximum(probabilities, 1e-9))).sum(axis=1),
        "two likeliest": best + second - 1,
    }


def shape_features(shapes: Sequence[Shape], digits: NDArray[np.int64]) -> dict[str, Column]:
    """Return the features of the shapes and the predicted digits, [N] each, by name."""
    width, height, rise, left, right, part_width, gap, parts, pieces, extended = np.array(
        [
            (s.width, s.height, s.rise, s.cut_left, s.cut_right, s.part_width, s.gap, s.parts, s.pieces, s.is_extended)
            for s in shapes
        ],
        float,
    ).T
    aspect = (np.log(width / height) - np.take(ASPECT, digits)) / np.take(ASPECT_SPREAD, digits)
    cost = np.clip(left, 0, MUCH_INK) + np.clip(right, 0, MUCH_INK)
    cuts = (left > NO_CUT).astype(float) + (right > NO_CUT)
    one = digits == 1
    return {
        "segment": np.ones(len(digits)),
        "too narrow": np.clip(aspect, -4, 0) ** 2,
        "too wide": np.clip(aspect, 0, 4) ** 2,
        "too low": 4 * np.minimum(np.log(height), 0) ** 2,
        "too high": 4 * np.maximum(np.log(height), 0) ** 2,
        "cost of the cuts": cost,
        "cuts": cuts,
        "cuts of a narrow component": cuts * np.clip(PAIR_WIDTH - part_width, 0, 1),
        "has a gap": gap > 0,
        "gap": 5 * gap,
        "other parts": parts - 1,
        "one": one,
        "one, cost of the cuts": one * cost,
        "one, cuts": one * cuts,
        "wider than high": np.clip(width - 1, 0, 1),
        "other pieces": pieces - 1,
        "off the line": 4 * rise**2,
        "extended": extended,
        "extended, cost of the cuts": extended * cost,
        "cuts through much ink": np.maximum(left - MUCH_INK, 0) + np.maximum(right - MUCH_INK, 0),
        "width": width,
        "zero": digits == 0,
        "seven": digits == 7,
        "four": digits == 4,
        "six": digits == 6,
    }
