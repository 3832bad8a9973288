"""Find where a connected component of several touching digits can be cut.

A cut is a path from the top to the bottom that crosses as little ink as it can, found by dynamic programming: a
generalization of drop-fall (Congedo, Dimauro, Impedovo, Pirlo, "Segmentation of numeric strings", ICDAR 1995), which
falls from one starting point and cannot look ahead.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.imaging.scaling import Levels

SEARCH_HEIGHT = 60  # pixels of a digit, at most, in the picture that is searched for paths
SIDESTEP_COST = 0.35  # pixels of ink; a path goes around ink rather than through it, but not far
MAX_CUT_COST = 4.0  # stroke widths of ink that a cut may cross
MAX_CUT_COST_IF_NARROW = 1.2  # stroke widths; a narrow component is rather a single digit
NARROW_WIDTH = 0.8  # digit heights
EVEN_COST = 0.3  # stroke widths; paths beside the cheapest are equal to it if they cost at most that much more
FREE_COST = 1.0  # pixels of ink; a cheaper path runs between digits, where one cut is enough
ROUNDING = 1e-4  # pixels of ink
MIN_DISTANCE = 0.08  # digit heights between two cuts
MIN_MARGIN = 0.06  # digit heights between a cut and either side of the component

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
        height: height of a digit in pixels.
        stroke: width of a stroke in pixels.
    """
    scale = min(SEARCH_HEIGHT / height, 1.0)
    rows, columns = levels.shape
    size = max(round(columns * scale), 1), max(round(rows * scale), 1)
    ink: Floats = np.asarray(cv2.resize(levels, size, interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
    down, up = path_costs(ink), path_costs(ink[::-1])
    middle = len(ink) // 2
    rest = len(ink) - 1 - middle
    total = down[middle] + up[rest] - ink[middle]  # both halves of a path count its pixel in the middle row
    limit = MAX_CUT_COST if columns > NARROW_WIDTH * height else MAX_CUT_COST_IF_NARROW
    cuts = []
    margin, distance = round(MIN_MARGIN * height * scale), max(round(MIN_DISTANCE * height * scale), 1)
    for column in local_minima(total, distance, EVEN_COST * stroke * scale):
        path = np.array(trace(down, middle, column) + trace(up, rest, column)[-2::-1])
        cost = float(ink[np.arange(len(path)), path].sum()) / (stroke * scale)
        if cost <= limit and margin <= column < size[0] - margin:
            across = np.interp(np.arange(rows), (np.arange(size[1]) + 0.5) / scale - 0.5, (path + 0.5) / scale)
            cuts.append(Cut(np.round(across).astype(np.int32), cost))
    return cuts


def path_costs(ink: Floats) -> Floats:
    """Return the cost of the cheapest path from the first row to every pixel, float32 [rows, columns]."""
    cost = ink.copy()
    framed = np.full(ink.shape[1] + 2, np.inf, np.float32)
    beside = np.empty(ink.shape[1], np.float32)
    for row in range(1, len(ink)):
        framed[1:-1] = cost[row - 1]
        np.minimum(framed[:-2], framed[2:], out=beside)
        beside += np.float32(SIDESTEP_COST)
        cost[row] += np.minimum(framed[1:-1], beside)
    return cost


def local_minima(cost: Floats, distance: int, tolerance: float) -> list[int]:
    """Return the columns where paths are cheapest, from left to right; both ends of a wide even stretch.

    Args:
        cost: cost of the cheapest path through each column, in pixels of ink.
        distance: least distance of two minima, in columns.
        tolerance: columns that cost at most this much more than a minimum belong to its stretch.
    """
    found: set[int] = set()
    lowest = cv2.erode(cost[None], np.ones((1, 2 * distance + 1), np.uint8))[0]
    done = -1
    for column in np.flatnonzero(cost <= lowest + ROUNDING).tolist():
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
    """Return the columns at which to cut an even stretch: its middle, or its ends if it is wide and inked."""
    width = high - low
    if width < 2 * distance or cost < FREE_COST:
        return {(low + high) // 2}
    inset = distance // 2
    ends = {low + inset, high - inset}
    return ends | {(low + high) // 2} if width > 5 * distance else ends


def trace(cost: Floats, row: int, column: int) -> list[int]:
    """Return the column of the cheapest path in each row from the first one to `row`, where it is `column`."""
    path, last = [column], cost.shape[1] - 1
    for costs in cost[:row][::-1]:
        low, high = max(column - 1, 0), min(column + 1, last)
        beside = low if costs[low] <= costs[high] else high
        if costs[beside] + SIDESTEP_COST < costs[column]:
            column = beside
        path.append(column)
    return path[::-1]
