"""Draw MNIST's test digits as a pen would: smooth at any size, of any stroke width."""

from functools import cache
from typing import Any

import cv2
import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from training.learner import dataset

ZOOM = 8  # pixels of the working grid for one of MNIST's
THRESHOLD = 0.42  # of full ink, where the enlarged digit's outline runs
MARGIN = 4  # of MNIST's pixels, around the digit

Rng = np.random.Generator
Levels = NDArray[Any]  # float; what OpenCV returns has no more exact type


@cache
def test_digits() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    digits = dataset.load(settings.MNIST_DIR, "t10k")
    return digits.images[..., 0], np.asarray(digits.labels)


def soft_noise(shape: tuple[int, ...], rng: Rng, grain: float) -> Levels:
    """Return smooth noise of deviation 1; `grain` is the size of its spots in pixels."""
    height, width = shape[:2]
    rows, columns = max(int(height / grain), 2), max(int(width / grain), 2)
    coarse = rng.normal(0, 1, (rows, columns)).astype(np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def thin(solid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the skeleton (Zhang and Suen, "A fast parallel algorithm for thinning digital patterns", 1984)."""
    image = np.pad(solid, 1)
    while True:
        before = int(image.sum())
        for odd in (False, True):
            north, south, west, east = (
                np.roll(image, shift, axis) for shift, axis in ((1, 0), (-1, 0), (1, 1), (-1, 1))
            )
            ring = [north, np.roll(north, -1, 1), east, np.roll(south, -1, 1), south, np.roll(south, 1, 1), west]
            ring.append(np.roll(north, 1, 1))
            count = np.sum(ring, axis=0)
            steps = np.sum([~a & b for a, b in zip(ring, ring[1:] + ring[:1], strict=True)], axis=0)
            products = (
                (north & east & west, north & south & west) if odd else (north & east & south, east & south & west)
            )
            image = image & ~((count >= 2) & (count <= 6) & (steps == 1) & ~products[0] & ~products[1])
        if int(image.sum()) == before:
            return image[1:-1, 1:-1]


def without_specks(solid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Leave out components that are small enough to be dots: a pen would draw them as large as a stroke is wide."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(solid.astype(np.uint8))
    area = stats[:, cv2.CC_STAT_AREA].copy()
    area[0] = 0
    return (area > 0.06 * area.sum())[labels]


def stroke_field(digit: Levels, rng: Rng, pen: float) -> Levels:
    """Return how far inside its stroke each pixel of the working grid lies, negative outside.

    `pen` is the wanted stroke width as a share of the digit's longer side. The field holds the digit and MARGIN.
    """
    rows, columns = np.flatnonzero(digit.max(axis=1) > 0.3), np.flatnonzero(digit.max(axis=0) > 0.3)
    crop = np.pad(digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], MARGIN)
    smooth = cv2.GaussianBlur(cv2.resize(crop, None, fx=ZOOM, fy=ZOOM, interpolation=cv2.INTER_CUBIC), (0, 0), ZOOM / 2)
    solid = without_specks(smooth > THRESHOLD)
    inside = cv2.distanceTransform(solid.astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform((~solid).astype(np.uint8), cv2.DIST_L2, 5)
    line = thin(solid)
    own = float(np.median(inside[line]))
    wanted = min(max(pen / 2 * max(crop.shape) * ZOOM, 0.4 * own), 1.3 * own)
    pressure = wanted * (1 + 0.12 * soft_noise(solid.shape, rng, 6 * ZOOM))
    from_line = cv2.distanceTransform((~line).astype(np.uint8), cv2.DIST_L2, 5)
    field = np.maximum(pressure - from_line, inside - outside - (own - wanted))
    return cv2.GaussianBlur(field, (0, 0), ZOOM / 5)


def coverage(field: Levels, longer: float) -> Levels:
    """Return the ink as 0..1, the digit's longer side scaled to `longer` pixels, with the field's margin."""
    scale = longer / (max(field.shape) - 2 * MARGIN * ZOOM)
    size = max(round(field.shape[1] * scale), 1), max(round(field.shape[0] * scale), 1)
    return np.clip(cv2.resize(field, size, interpolation=cv2.INTER_LINEAR) * scale + 0.5, 0, 1)


def uneven(ink: Levels, rng: Rng) -> Levels:
    """Paler to one side, smoothly or at once: a shadow of the hand, or a pen that was dipped again."""
    down, across = np.meshgrid(*(np.linspace(-1, 1, side) for side in ink.shape), indexing="ij")
    turn = rng.uniform(0, 2 * np.pi)
    share = np.clip((np.cos(turn) * across + np.sin(turn) * down) / rng.uniform(0.03, 1.2) + 0.5, 0, 1)
    return (ink * (1 - share * rng.uniform(0.5, 0.82))).astype(np.float32)


def dry(ink: Levels, rng: Rng) -> Levels:
    """A pen that is running dry: patches of the stroke are pale, in the length of the stroke and in its grain."""
    patches = soft_noise(ink.shape, rng, max(ink.shape) / 6)
    grain = rng.normal(0, 0.18, ink.shape)
    return (ink * np.clip(rng.uniform(0.5, 0.75) + 0.3 * patches + grain, 0.15, 1)).astype(np.float32)


def pencil(ink: Levels, rng: Rng) -> Levels:
    """Graphite on the paper's tooth: grainy, and grey."""
    grain = soft_noise(ink.shape, rng, max(max(ink.shape) / 70, 1))
    return (ink * np.clip(rng.uniform(0.3, 0.7) + 0.16 * grain, 0.1, 1)).astype(np.float32)


def faint(ink: Levels, rng: Rng) -> Levels:
    return (ink * rng.uniform(0.07, 0.15)).astype(np.float32)


def chalk(ink: Levels, rng: Rng) -> Levels:
    grain = soft_noise(ink.shape, rng, max(max(ink.shape) / 60, 1))
    return (ink * np.clip(0.85 + 0.25 * grain, 0.25, 1)).astype(np.float32)
