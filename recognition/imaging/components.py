"""Connected parts of a drawing: which belong to the digit, and which are stray."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognition.errors import BlankDrawing

BLOCKS = 56  # parts are told apart on a grid of at most this many blocks a side
STRAY_MASS = 0.02  # of the main part's mass: less is a dot, however near
STRAY_MASS_FAR = 0.4  # what must be added to that for every main part's length of distance
NEAR = 0.1  # distance, in main parts' lengths, that costs nothing
STRAIGHT = 0.9  # of a side's length: more is the edge of something, less may be a stroke
LEAST_LEFT = 0.003  # of the picture's area: less is no digit beside what surrounds it

Mask = NDArray[np.bool_]
Span = tuple[int, int, int, int]  # left, top, right, bottom


def main_part(inked: Mask) -> tuple[Span, Image.Image | None]:
    """The box of the digit in an (H, W) mask; and, where anything was left out, a coarse mask (L) of what counts.

    Raises BlankDrawing when nothing is inked.
    """
    rows, columns = profiles(inked)
    if not rows.any():
        raise BlankDrawing
    box = span(rows, columns)
    if rows[box[1] : box[3]].all() and columns[box[0] : box[2]].all() and not ruled_off(inked, box):
        return box, None  # no gap in either direction: nothing lies apart
    step = -(-max(inked.shape) // BLOCKS)
    mass = block_mass(inked, step)
    labels = label(mass > 0)
    around = surroundings(labels, mass, inked.size)
    rest = np.isin(labels, around, invert=True)
    keep = rest & ~np.isin(labels, stray(labels * rest, mass * rest))
    if keep.all():
        return box, None
    height, width = inked.shape
    fine = np.repeat(np.repeat(keep, step, axis=0), step, axis=1)[:height, :width]
    kept = inked & fine
    return span(*profiles(kept)), Image.fromarray(fine.astype(np.uint8) * 255)


def profiles(inked: Mask) -> tuple[Mask, Mask]:
    """Which rows and which columns hold ink."""
    return np.asarray(inked.any(axis=1)), np.asarray(inked.any(axis=0))


def span(rows: Mask, columns: Mask) -> Span:
    """The box of the inked rows and columns."""
    down, across = np.flatnonzero(rows), np.flatnonzero(columns)
    return int(across[0]), int(down[0]), int(across[-1]) + 1, int(down[-1]) + 1


def block_mass(inked: Mask, step: int) -> NDArray[np.int64]:
    """How many pixels are inked in each block of `step` by `step`."""
    height, width = inked.shape
    padded = np.pad(inked, ((0, -height % step), (0, -width % step)))
    return padded.reshape(padded.shape[0] // step, step, -1, step).sum(axis=(1, 3))


def label(grid: Mask) -> NDArray[np.int64]:
    """Number the 8-connected parts of a small grid from 1; 0 is background.

    Runs of each row are joined with the runs they touch in the row above (union-find), as in Wu, Otoo and Suzuki,
    "Optimizing two-pass connected-component labeling algorithms", 2009.
    """
    parent = [0]

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    labels = np.zeros(grid.shape, dtype=np.int64)
    above: list[tuple[int, int, int]] = []
    for y, row in enumerate(grid):
        edges = np.flatnonzero(np.diff(row, prepend=False, append=False)).tolist()
        here = []
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            touching = [node for left, right, node in above if left <= end and start <= right]
            node = len(parent)
            parent.append(node)
            for other in touching:
                parent[root(other)] = root(node)
            labels[y, start:end] = node
            here.append((start, end, node))
        above = here
    return np.array([root(node) for node in range(len(parent))])[labels]


def ruled_off(inked: Mask, box: Span) -> bool:
    """Whether ink runs along a side of the picture, or the box begins and ends with a level line, as a frame does."""
    left, top, right, bottom = box
    if left == 0 or top == 0 or bottom == inked.shape[0] or right == inked.shape[1]:
        sides = inked[0], inked[-1], inked[:, 0], inked[:, -1]
        if max(float(side.mean()) for side in sides) > STRAIGHT:
            return True
    first, last = inked[top : top + 3, left:right], inked[max(bottom - 3, top) : bottom, left:right]
    return bool(first.any(axis=0).mean() > STRAIGHT and last.any(axis=0).mean() > STRAIGHT)


def surroundings(labels: NDArray[np.int64], mass: NDArray[np.int64], area: int) -> list[int]:
    """The labels of a desk's edge, a line or a box around the digit; none where nothing whole would be left."""
    sides = labels[0], labels[-1], labels[:, 0], labels[:, -1]
    found = {int(node) for side in sides for node in set(side[side > 0]) if (side == node).mean() > STRAIGHT}
    found |= {int(node) for node in np.unique(labels[labels > 0]) if is_frame(labels == node)}
    found = {node for node in found if mass[labels == node].sum() < area / 2}  # more is a sheet
    left = np.isin(labels, [0, *found], invert=True)
    touching = left[0].any() or left[-1].any() or left[:, 0].any() or left[:, -1].any()
    if not found or touching or mass[left].sum() < LEAST_LEFT * area:
        return []
    return sorted(found)


def is_frame(part: Mask) -> bool:
    """Whether a part runs along all four sides of its own box, in straight lines, and leaves the inside free."""
    left, top, right, bottom = span(*profiles(part))
    own = part[top:bottom, left:right]
    if min(own.shape) < 8 or own.mean() > 0.5:
        return False
    bands = own[:2].any(axis=0), own[-2:].any(axis=0), own[:, :2].any(axis=1), own[:, -2:].any(axis=1)
    return min(float(band.mean()) for band in bands) > STRAIGHT


def stray(labels: NDArray[np.int64], mass: NDArray[np.int64]) -> list[int]:
    """The labels of the parts that do not belong to the digit: too light for their distance from it."""
    weights = np.bincount(labels.ravel(), weights=mass.ravel())
    weights[0] = 0
    order = [int(node) for node in np.argsort(-weights, kind="stable") if weights[node] > 0]
    boxes = {node: span(*profiles(labels == node)) for node in order}
    heaviest = weights[order[0]]
    digit = boxes[order[0]]
    length = max(digit[2] - digit[0], digit[3] - digit[1])
    left_out = []
    for node in order[1:]:
        left, top, right, bottom = boxes[node]
        gap = max(left - digit[2], digit[0] - right, top - digit[3], digit[1] - bottom, 0)
        if weights[node] < heaviest * (STRAY_MASS + STRAY_MASS_FAR * max(gap / length - NEAR, 0)):
            left_out.append(node)
            continue
        digit = (min(digit[0], left), min(digit[1], top), max(digit[2], right), max(digit[3], bottom))
    return left_out
