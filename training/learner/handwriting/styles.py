"""Draw styles that MNIST lacks into its digits: slashed zeros, barred sevens, ones with flags and feet."""

import numpy as np
from numpy.typing import NDArray

from training.learner.handwriting.augmentation import SIDE, Pictures, Rng

Column = NDArray[np.float32]  # [N]
Points = NDArray[np.float64]  # [N, 2]: row, column
BOX = 20.0


def restyle(pictures: Pictures, labels: NDArray[np.int64], rng: Rng, share: float) -> tuple[Pictures, Column]:
    """Return a copy with a share of the zeros, ones and sevens restyled, and the scale at which each fits its box."""
    out, shrink = pictures.copy(), np.ones(len(pictures), np.float32)
    chosen = rng.random(len(pictures)) < share
    for digit, edit in ((0, slash), (1, flag), (7, bar)):
        rows = np.flatnonzero(chosen & (labels == digit))
        if len(rows):
            out[rows], shrink[rows] = edit(pictures[rows], rng)
    return out, shrink


def slash(zeros: Pictures, rng: Rng) -> tuple[Pictures, Column]:
    """Add a slash through the middle, within the loop or beyond, mostly rising to the right, never level."""
    count = len(zeros)
    angle = np.deg2rad(
        np.where(rng.random(count) < 0.75, rng.normal(52, 18, count).clip(28, 152), rng.uniform(28, 152, count))
    )
    middle = centres(zeros) + rng.normal(0, 0.8, (count, 2))
    ray = np.stack([-np.sin(angle), np.cos(angle)], axis=1)
    reach = edge(zeros, middle, ray)[:, None] * rng.uniform(
        0.6, np.where(rng.random((count, 1)) < 0.5, 2.4, 1.5), (count, 2)
    )
    drawn = segment(middle - ray * reach[:, :1], middle + ray * reach[:, 1:], pens(zeros, rng))
    return np.maximum(zeros, drawn), fitting(2 * reach.max(axis=1) * np.abs(ray).max(axis=1))


def bar(sevens: Pictures, rng: Rng) -> tuple[Pictures, Column]:
    """Add a short, nearly level stroke across the stem."""
    count = len(sevens)
    _, top, bottom = extent(sevens)
    row = top + (bottom - top) * rng.uniform(0.4, 0.68, count)
    middle = np.stack([row, at_row(sevens, row) + rng.normal(0, 0.7, count)], axis=1)
    angle = np.deg2rad(rng.normal(6, 12, count))
    ray = np.stack([-np.sin(angle), np.cos(angle)], axis=1)
    reach = rng.uniform(2.6, 6.5, (count, 2))
    drawn = segment(middle - ray * reach[:, :1], middle + ray * reach[:, 1:], pens(sevens, rng))
    return np.maximum(sevens, drawn), np.ones(count, np.float32)


def flag(ones: Pictures, rng: Rng) -> tuple[Pictures, Column]:
    """Add a flag from the top down to the left, mostly at most half the stem long, and a level foot to some."""
    count = len(ones)
    tip, top, bottom = extent(ones)
    start = np.stack([top + 1, tip], axis=1)
    share = rng.uniform(0.15, np.where(rng.random(count) < 0.85, 0.55, 0.75))
    rise = np.deg2rad(rng.uniform(np.select([share < 0.34, share < 0.55], [12, 24], 36), 68))
    length = (bottom - top) * share
    end = start + length[:, None] * np.stack([np.sin(rise), -np.cos(rise)], axis=1)
    width = pens(ones, rng)
    drawn = segment(start, end, width)
    base = np.stack([bottom - 0.5, at_row(ones, bottom - 1)], axis=1)
    tilt = rng.normal(0, 0.06, count)
    arms = rng.uniform(2.0, np.where(rng.random((count, 1)) < 0.75, 6.5, 8.5), (count, 2))
    ray = np.stack([tilt, np.ones(count)], axis=1)
    foot = segment(base - ray * arms[:, :1], base + ray * arms[:, 1:], width)
    foot *= (rng.random(count) < 0.35)[:, None, None]
    return np.maximum(ones, np.maximum(drawn, foot)), np.ones(count, np.float32)


def segment(start: Points, end: Points, width: Column) -> Pictures:
    """Return straight strokes with round ends, [N, 28, 28]."""
    rows, columns = np.indices((SIDE, SIDE), np.float32)
    way = (end - start)[:, :, None, None]
    from_row, from_column = rows - start[:, :1, None], columns - start[:, 1:, None]
    along = (from_row * way[:, 0] + from_column * way[:, 1]) / np.maximum((way**2).sum(axis=1), 1e-6)
    along = np.clip(along, 0, 1)
    distance = np.hypot(from_row - along * way[:, 0], from_column - along * way[:, 1])
    return np.clip(width[:, None, None] / 2 + 0.5 - distance, 0, 1).astype(np.float32)


def pens(pictures: Pictures, rng: Rng) -> Column:
    """Estimate each digit's stroke width: twice its area over its outline."""
    across = np.abs(np.diff(pictures, axis=1)).sum(axis=(1, 2)) ** 2
    down = np.abs(np.diff(pictures, axis=2)).sum(axis=(1, 2)) ** 2
    width = 2 * pictures.sum(axis=(1, 2)) / np.sqrt(across + down)
    return np.clip(width * rng.uniform(0.8, 1.15, len(pictures)), 1.3, 4.0).astype(np.float32)


def centres(pictures: Pictures) -> NDArray[np.float64]:
    """Return each digit's centre of mass, [N, 2]."""
    mass = pictures.sum(axis=(1, 2)) + 1e-6
    place = np.arange(SIDE)
    return np.stack([pictures.sum(axis=2) @ place / mass, pictures.sum(axis=1) @ place / mass], axis=1)


def edge(pictures: Pictures, middle: NDArray[np.float64], ray: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance from the middle to the loop along a ray, in pixels."""
    steps = np.arange(1, 14)
    places = middle[:, :, None] + ray[:, :, None] * steps
    rows, columns = np.clip(np.rint(places), 0, SIDE - 1).astype(int).transpose(1, 0, 2)
    levels = pictures[np.arange(len(pictures))[:, None], rows, columns]
    return steps[levels.argmax(axis=1)].astype(float)


def extent(pictures: Pictures) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the column of each digit's highest ink, and the rows of its highest and lowest ink."""
    inked: NDArray[np.bool_] = np.any(pictures > 0.4, axis=2)
    top = inked.argmax(axis=1).astype(float)
    bottom = SIDE - 1 - inked[:, ::-1].argmax(axis=1).astype(float)
    return at_row(pictures, top), top, bottom


def at_row(pictures: Pictures, row: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean column of the ink in a row of each digit."""
    lines = pictures[np.arange(len(pictures)), np.clip(np.rint(row), 0, SIDE - 1).astype(int)] + 1e-6
    return lines @ np.arange(SIDE) / lines.sum(axis=1)


def fitting(longest: NDArray[np.float64]) -> Column:
    return np.minimum(1.0, BOX / np.maximum(longest, 1e-6)).astype(np.float32)
