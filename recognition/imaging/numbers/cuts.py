"""Find where a connected component of several touching digits can be cut.

A cut is a path from the top to the bottom that crosses as little ink as it can, found by dynamic programming: a
generalization of drop-fall (Congedo, Dimauro, Impedovo, Pirlo, "Segmentation of numeric strings", ICDAR 1995), which
falls from one starting point and cannot look ahead.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.imaging.polarity import Levels

SEARCH_HEIGHT = 40  # pixels; the height of a digit in which paths are searched for
SIDESTEP = 0.25  # what a step to the side costs, in pixels of ink
MAX_COST = 4.0  # stroke widths of ink that a path may cross
TOLERANCE = 0.3  # stroke widths
FREE = 1.0
MIN_DISTANCE = 0.08  # between two cuts, in digit heights
MIN_WIDTH = 0.06  # left and right of a cut, in digit heights

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


@dataclass(frozen=True)
class Cut:
    """A path from top to bottom: for each row, the first column to its right."""

    columns: Ints
    cost: float  # ink crossed, in stroke widths


def find_cuts(levels: Levels, height: float, stroke: float) -> list[Cut]:
    """Return the candidate cuts of a component, from left to right.

    Args:
        levels: the component's ink alone, uint8 [rows, columns].
        height: of a digit, in pixels.
        stroke: the width of a stroke, in pixels.
    """
    scale = min(SEARCH_HEIGHT / height, 1.0)
    rows, columns = levels.shape
    size = max(round(columns * scale), 1), max(round(rows * scale), 1)
    ink: Floats = np.asarray(cv2.resize(levels, size, interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
    down, back_down = cheapest(ink)
    up, back_up = cheapest(ink[::-1])
    middle = len(ink) // 2
    total = down[middle] + up[len(ink) - 1 - middle] - ink[middle]
    cuts = []
    edge, distance = round(MIN_WIDTH * height * scale), max(round(MIN_DISTANCE * height * scale), 1)
    for column in local_minima(total, distance, TOLERANCE * stroke * scale):
        cost = crossed(ink, path := trace(back_down, back_up, middle, column)) / (stroke * scale)
        if cost <= MAX_COST and edge <= column < size[0] - edge:
            across = np.interp(np.arange(rows), (np.arange(size[1]) + 0.5) / scale - 0.5, (path + 0.5) / scale)
            cuts.append(Cut(np.round(across).astype(np.int32), cost))
    return cuts


def cheapest(ink: Floats) -> tuple[Floats, Ints]:
    """Return the cost of the cheapest path from the first row to every pixel, and the step that leads to it."""
    cost, came_from = ink.copy(), np.zeros(ink.shape, np.int32)
    framed = np.full(ink.shape[1] + 2, np.inf, np.float32)
    for row in range(1, len(ink)):
        framed[1:-1] = cost[row - 1]
        steps = np.stack([framed[1:-1], framed[:-2] + SIDESTEP, framed[2:] + SIDESTEP])
        chosen = steps.argmin(axis=0)
        cost[row] += steps[chosen, np.arange(ink.shape[1])]
        came_from[row] = np.array([0, -1, 1])[chosen]
    return cost, came_from


def local_minima(cost: Floats, distance: int, tolerance: float) -> list[int]:
    """Return the columns where paths are cheapest, from left to right; of a wide even stretch both ends."""
    found: set[int] = set()
    lowest = cv2.erode(cost[None], np.ones((1, 2 * distance + 1), np.uint8))[0]
    done = -1
    for column in np.flatnonzero(cost <= lowest + 1e-4).tolist():
        if column <= done:
            continue
        low, high = column, column
        while low > done + 1 and cost[low - 1] <= cost[column] + tolerance:
            low -= 1
        while high + 1 < len(cost) and cost[high + 1] <= cost[column] + tolerance:
            high += 1
        done = max(high, column + distance)
        found |= ends_and_middle(low, high, distance, cost[column])
    return sorted(found)


def ends_and_middle(low: int, high: int, distance: int, cost: float) -> set[int]:
    width = high - low
    if width < 2 * distance or cost < FREE:
        return {(low + high) // 2}
    inset = distance // 2
    ends = {low + inset, high - inset}
    return ends | {(low + high) // 2} if width > 5 * distance else ends


def trace(back_down: Ints, back_up: Ints, middle: int, column: int) -> Ints:
    """Return the column of the cheapest path in each row, through `column` of the middle row."""
    rows = len(back_down)
    path = np.empty(rows, np.int32)
    path[middle] = column
    for row in range(middle, 0, -1):
        path[row - 1] = path[row] + back_down[row, path[row]]
    for row in range(middle, rows - 1):
        path[row + 1] = path[row] + back_up[rows - 1 - row, path[row]]
    return path


def crossed(ink: Floats, path: Ints) -> float:
    """Return the ink along a path."""
    return float(ink[np.arange(len(path)), path].sum())
