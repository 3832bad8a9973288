"""Augment batches of digits: affine and elastic transforms, stroke width, contrast.

Results depend on the digits and the generator alone, so that a resumed run sees the same pictures.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.float32]  # [N, 28, 28], ink 1.0 on 0.0
Rng = np.random.Generator

SIDE = 28
KNOTS = 6  # knots of the displacement field along each side
CHUNK = 1000  # digits at a time, to stay within the processor's cache and OpenCV's 32,767 rows


@dataclass(frozen=True)
class Strength:
    """The limits of the changes, by default those of most epochs; angles in degrees, distances in pixels."""

    rotation: float = 10
    shear: float = 0.25
    stretch: float = 0.15  # log of width by height
    smallest: float = 0.85
    largest: float = 1.10
    shift: float = 0.8  # standard deviation
    elastic: float = 0.5  # standard deviation at the knots of the displacement field
    thinner: float = 0.45  # pixels at most
    thicker: float = 0.6


# Such changes leave a digit as people write it.
WEAK = Strength(
    rotation=6, shear=0.15, stretch=0.1, smallest=0.92, largest=1.06, shift=0.5, elastic=0.35, thinner=0.3, thicker=0.4
)


def augment(
    pictures: Pictures,
    rng: Rng,
    strength: Strength,
    shrink: NDArray[np.float32],
    chunk_done: Callable[[], object],
) -> Pictures:
    """Return an augmented copy of every picture, scaled by its `shrink`; call `chunk_done` every CHUNK pictures."""
    out = np.empty_like(pictures)
    for start in range(0, len(pictures), CHUNK):
        part = slice(start, start + CHUNK)
        moved = warp(pictures[part], rng, strength, shrink[part])
        out[part] = ink(rewidth(moved, rng, strength), rng)
        chunk_done()
    return out


def warp(pictures: Pictures, rng: Rng, strength: Strength, shrink: NDArray[np.float32]) -> Pictures:
    """Apply random affine transforms, shifts and smooth displacements."""
    count = len(pictures)
    back = np.linalg.inv(matrices(count, rng, strength) * shrink[:, None, None]).astype(np.float32)
    shift = rng.normal(0, strength.shift, (count, 2, 1)).clip(-2, 2).astype(np.float32)
    middle = np.float32((SIDE - 1) / 2)
    places = np.indices((SIDE, SIDE), np.float32).reshape(1, 2, -1) - middle
    source = back @ (places - shift) + bend(count, rng, strength) + middle
    return bilinear(pictures, source[:, 0], source[:, 1])


def matrices(count: int, rng: Rng, strength: Strength) -> NDArray[np.float64]:
    """Return linear maps [N, 2, 2] on (row, column): stretch, then shear, then rotation."""
    angle = np.deg2rad(rng.uniform(-1, 1, count) * strength.rotation)
    slant = rng.uniform(-1, 1, count) * strength.shear
    size = rng.uniform(strength.smallest, strength.largest, count)
    ratio = np.exp(rng.uniform(-1, 1, count) * strength.stretch)
    cos, sin, one, zero = np.cos(angle), np.sin(angle), np.ones(count), np.zeros(count)
    scale = np.array([[size / ratio, zero], [zero, size * ratio]])
    shear = np.array([[one, zero], [slant, one]])
    turn = np.array([[cos, sin], [-sin, cos]])
    return np.einsum("ijn,jkn,kln->nil", turn, shear, scale)


def bend(count: int, rng: Rng, strength: Strength) -> Pictures:
    """Return displacements [N, 2, 784] in pixels: random at a few knots, cubic in between."""
    knots = rng.normal(0, 1, (count, 2, KNOTS, KNOTS)).astype(np.float32)
    amount = rng.uniform(0, 1.4, (count, 1, 1, 1)).astype(np.float32) * np.float32(strength.elastic)
    between = spline()
    return (between @ (knots * amount) @ between.T).reshape(count, 2, -1)


def spline() -> Pictures:
    """Return the weights [28, KNOTS] of a cubic B-spline at every pixel, scaled to unit variance."""
    place = np.linspace(0.5, KNOTS - 1.5, SIDE)
    distance = np.abs(place[:, None] - np.arange(KNOTS)[None])
    near, far = 2 / 3 - distance**2 + distance**3 / 2, np.clip(2 - distance, 0, None) ** 3 / 6
    weights = np.where(distance < 1, near, far)
    return (weights / np.sqrt((weights**2).sum(axis=1, keepdims=True))).astype(np.float32)


def bilinear(pictures: Pictures, rows: Pictures, columns: Pictures) -> Pictures:
    """Interpolate the pictures at fractional positions [N, 784]; outside is 0. OpenCV sees them as one tall picture."""
    count, wide = len(pictures), SIDE + 2
    framed = np.zeros((count, wide, wide), np.float32)
    framed[:, 1:-1, 1:-1] = pictures
    top = np.arange(count, dtype=np.float32)[:, None] * wide
    rows, columns = np.clip(rows + 1, 0, wide - 1) + top, np.clip(columns + 1, 0, wide - 1)
    tall = cv2.remap(framed.reshape(-1, wide), columns.reshape(-1, SIDE), rows.reshape(-1, SIDE), cv2.INTER_LINEAR)
    return tall.reshape(-1, SIDE, SIDE).astype(np.float32, copy=False)


def rewidth(pictures: Pictures, rng: Rng, strength: Strength) -> Pictures:
    """Make strokes thicker or thinner: blend each pixel with its brightest or darkest neighbour."""
    change = rng.uniform(-strength.thinner, strength.thicker, (len(pictures), 1, 1)).astype(np.float32)
    change *= rng.random(change.shape) < 0.7
    thick, thin = np.clip(change, 0, None), np.clip(-change, 0, None)
    wider, narrower = neighbours(pictures, np.maximum), neighbours(pictures, np.minimum)
    return pictures + thick * (wider - pictures) - thin * (pictures - narrower)


def neighbours(pictures: Pictures, pick: np.ufunc) -> Pictures:
    """Return the extreme of every pixel and its four neighbours."""
    out = pictures.copy()
    for to, of in ((np.s_[1:], np.s_[:-1]), (np.s_[:-1], np.s_[1:])):
        pick(out[:, to], pictures[:, of], out=out[:, to])
        pick(out[:, :, to], pictures[:, :, of], out=out[:, :, to])
    return out


def ink(pictures: Pictures, rng: Rng) -> Pictures:
    """Vary the sharpness of edges and the darkness of ink."""
    shape = (len(pictures), 1, 1)
    hard = rng.uniform(1.0, 1.7, shape).astype(np.float32)
    full = rng.uniform(0.85, 1.0, shape).astype(np.float32)
    full[rng.random(shape) < 0.6] = 1.0
    return np.clip((pictures - 0.5) * hard + 0.5, 0, 1) * full * (pictures > 0.02)
