"""Give MNIST's digits the proportions and the slant of corrections: a habit is a matter of second moments.

A digit's covariance says how wide, how tall and how slanted it is. The linear map between two covariances writes a
digit of MNIST as somebody with that habit would write it, so that a hundred corrections teach as thousands do.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from training.learner import dataset

Pictures = NDArray[np.float32]  # [N, 28, 28], ink 1.0 on 0.0
Matrices = NDArray[np.float64]  # [N, 2, 2] on (x, y)

SIDE, BOX = 28, 20  # MNIST's geometry: the digit in a box of 20, its centre of mass in the middle
INKED = 0.3
BLUR = 0.6  # variance in square pixels that a line has across itself: without it, the map of a thin one is unbounded
MOST_STRETCHED = 1.8  # axis by axis; more would smear the strokes
MOST_STRETCHED_ONE = 1.3  # a one has no width to tell its proportions by
TRIES = 3  # for each digit asked for
Y, X = np.mgrid[:SIDE, :SIDE].astype(np.float32)


class HabitTransfer:
    """Transfers the habits of corrections to MNIST's training digits."""

    def __init__(self, corrections: dataset.Digits, digits: dataset.Digits) -> None:
        self._corrections = corrections[np.flatnonzero(np.isin(corrections.labels, digits.labels))]
        self._digits = digits
        self._habits = root(covariances(self._corrections.images[..., 0]))
        self._inverses = root(covariances(digits.images[..., 0]), inverse=True)
        self._rows = [np.flatnonzero(digits.labels == label) for label in range(10)]

    def draw(self, count: int, rng: np.random.Generator) -> tuple[Pictures, NDArray[np.int64]]:
        """Return at most `count` digits of MNIST with the second moments of corrections of the same label."""
        if not len(self._corrections):
            return np.empty((0, SIDE, SIDE), np.float32), np.empty(0, np.int64)
        chosen = rng.integers(0, len(self._corrections), TRIES * count)
        labels = self._corrections.labels[chosen]
        rows = np.array([rng.choice(self._rows[label]) for label in labels])
        maps = self._habits[chosen] @ self._inverses[rows]
        stretched = stretch(maps)
        usable = (stretched < MOST_STRETCHED_ONE) | ((stretched < MOST_STRETCHED) & (labels != 1))
        found = np.flatnonzero(usable)[:count]
        pictures = [warp(self._digits.images[rows[i], ..., 0], maps[i]) for i in found]
        return np.array(pictures, np.float32).reshape(-1, SIDE, SIDE), labels[found]


def covariances(pictures: Pictures) -> Matrices:
    """Return the covariance of each picture's ink, in square pixels, widened by BLUR."""
    weights = pictures.reshape(len(pictures), SIDE * SIDE).astype(np.float64) + 1e-9
    weights /= weights.sum(axis=1, keepdims=True)
    x, y = X.ravel().astype(np.float64), Y.ravel().astype(np.float64)
    mean_x, mean_y = weights @ x, weights @ y
    xx, yy, xy = weights @ x**2 - mean_x**2, weights @ y**2 - mean_y**2, weights @ (x * y) - mean_x * mean_y
    return np.stack([np.stack([xx, xy], -1), np.stack([xy, yy], -1)], -2) + BLUR * np.eye(2)


def root(matrices: Matrices, inverse: bool = False) -> Matrices:
    """Return the symmetric square roots of positive definite matrices, or their inverses."""
    values, vectors = np.linalg.eigh(matrices)
    powers = values ** (-0.5 if inverse else 0.5)
    roots: Matrices = np.einsum("nij,nj,nkj->nik", vectors, powers, vectors)
    return roots


def stretch(maps: Matrices) -> NDArray[np.float64]:
    """Return by how much each map stretches its longer axis, apart from its change of size."""
    values = np.linalg.svd(maps, compute_uv=False)
    longer: NDArray[np.float64] = np.sqrt(values[:, 0] / values[:, 1])
    return longer


def warp(picture: NDArray[np.float32], linear: NDArray[np.float64]) -> NDArray[np.float32]:
    """Apply a linear map about the centre of mass, and return the result in MNIST's geometry."""
    total = picture.sum()
    centre = np.array([[(X * picture).sum() / total], [(Y * picture).sum() / total]])
    inked = picture > INKED
    mapped = linear @ (np.stack([X[inked], Y[inked]]) - centre)
    scaled = linear * (BOX / (max(np.ptp(mapped[0]), np.ptp(mapped[1])) + 1))
    middle = np.full((2, 1), (SIDE - 1) / 2)
    moved = np.concatenate([scaled, middle - scaled @ centre], axis=1)
    return np.asarray(cv2.warpAffine(picture, moved, (SIDE, SIDE), flags=cv2.INTER_LINEAR), np.float32)
