"""Synthetic digits, drawn with a round pen from random skeletons and preprocessed like users' drawings."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognition.imaging import preprocess
from training.learner.handwriting.lines import Drawing, Rng, either
from training.learner.handwriting.shapes import SHAPES

CANVAS, UP = 150, 2
NARROW_SHARE = 0.08  # where there is little room
FRACTION_BITS = 4  # of coordinates, in OpenCV


def digits(labels: NDArray[np.int64], seed: int) -> Iterator[NDArray[np.float32]]:
    """Yield a preprocessed drawing of every label, float32 [28, 28]."""
    for row, label in enumerate(labels):
        rng = np.random.default_rng((seed, row))
        drawing = by_hand(SHAPES[int(label)](rng), rng)
        if either(rng, NARROW_SHARE):
            squeeze = rng.uniform(0.5, 0.85)
            drawing = [stroke * [squeeze, 1] for stroke in drawing]
        yield preprocess(render(drawing, rng))


def by_hand(drawing: Drawing, rng: Rng) -> Drawing:
    """Vary slant, rotation, proportions and the steadiness of the hand."""
    slant, turn = rng.normal(-0.1, 0.2), np.deg2rad(rng.normal(0, 6))
    cos, sin = np.cos(turn), np.sin(turn)
    linear = (
        np.array([[cos, -sin], [sin, cos]]) @ np.array([[1, slant], [0, 1]]) @ np.diag([np.exp(rng.normal(0, 0.2)), 1])
    )
    waves = rng.normal(0, 0.014, (2, 3)), rng.uniform(0, 6.3, (2, 3))
    out = []
    for flat in drawing:
        stroke = flat @ linear.T
        moved = stroke.copy()
        for axis in (0, 1):
            for k in range(3):
                moved[:, axis] += waves[0][axis, k] * np.sin((k + 1.5) * 3 * stroke[:, 1 - axis] + waves[1][axis, k])
        out.append(moved)
    return out


def render(drawing: Drawing, rng: Rng) -> Image.Image:
    """Draw black on white, with a random size and stroke width."""
    whole = np.concatenate(drawing)
    low, high = whole.min(axis=0), whole.max(axis=0)
    height = rng.uniform(80, 125)
    brush = np.exp(rng.uniform(np.log(4), np.log(20)))
    scale = (height - brush / 2) / max(float((high - low).max()), 1e-6)
    ink = np.full((CANVAS * UP, CANVAS * UP), 255, np.uint8)
    for stroke in drawing:
        places = ((stroke[[*range(len(stroke)), -1]] - (low + high) / 2) * scale + CANVAS / 2) * UP  # two make a dot
        points = np.rint(places * 2**FRACTION_BITS).astype(np.int32)
        cv2.polylines(ink, [points], False, 0, round(brush * UP), cv2.LINE_8, FRACTION_BITS)  # with round ends
    return Image.fromarray(ink).reduce(UP)
