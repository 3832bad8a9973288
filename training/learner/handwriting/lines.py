"""The parts of skeletons: rough curves, polylines and loops.

A drawing is a list of strokes [n, 2] of (x, y), x to the right and y down, about 1 high.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

Stroke = NDArray[np.float64]
Drawing = list[Stroke]
Rng = np.random.Generator
Knots = Sequence[tuple[float, float]]

JITTER = 0.035


def curve(knots: ArrayLike, rng: Rng, jitter: float = JITTER) -> Stroke:
    """Return a Catmull-Rom spline through jittered knots."""
    points = np.asarray(knots, float)
    points = points + rng.normal(0, jitter, points.shape)
    ends = np.concatenate([[2 * points[0] - points[1]], points, [2 * points[-1] - points[-2]]])
    t = np.linspace(0, 1, 9)[:-1, None]
    parts = []
    for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        parts.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.concatenate([*parts, points[-1:]])


def straight(knots: ArrayLike, rng: Rng, jitter: float = JITTER) -> Stroke:
    """Return a polyline through jittered knots."""
    points = np.asarray(knots, float)
    points = points + rng.normal(0, jitter, points.shape)
    t = np.linspace(0, 1, 8)[:, None]
    return np.concatenate([a + (b - a) * t for a, b in pairwise(points)])


def loop(x: float, y: float, wide: float, high: float, start: float, sweep: float, rng: Rng) -> Stroke:
    """Return an arc of a rough ellipse with a drifting radius, from `start` degrees (0 right, 90 down)."""
    angle = np.deg2rad(start + np.linspace(0, sweep, 36))
    drift = 1 + np.linspace(0, rng.normal(0, 0.08), 36) + 0.05 * rng.normal() * np.sin(2 * angle + rng.uniform(0, 6))
    power = rng.uniform(0.75, 1.1)
    cos, sin = np.cos(angle), np.sin(angle)
    across = x + wide * drift * np.sign(cos) * np.abs(cos) ** power
    down = y + high * drift * np.sign(sin) * np.abs(sin) ** power
    return np.stack([across, down], axis=1)


def either(rng: Rng, chance: float) -> bool:
    """Return True with the probability `chance`."""
    return bool(rng.random() < chance)
