"""Find straight lines of print, nearly level or upright, and take them away without the strokes that cross them.

A line that belongs to the digit (the stem of a 1, the bar of a 7, the foot of a 2) is found too, and stays: print runs
out of the picture, or meets other lines in the corners of a frame, and has the same thickness all along.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.imaging.components import number_components
from recognition.imaging.polarity import IntBox, Mask, longer_side

SLOPES = np.tan(np.deg2rad(np.arange(-6, 7, 3)))  # of the lines that are searched for, dy by dx
MIN_LENGTH = 0.22  # of the longer side of the image
MAX_STEEPNESS = 0.35  # height by length of the box around a line, its thickness included
MAX_GAP = 9  # pixels between the dots or dashes of a line, at the working size
MAX_DEVIATION = 1.0  # root mean square distance from a straight line, in pixels
BORDER = 4  # pixels; a line that ends this close to the border runs out of the picture
CORNER = 8  # pixels between the end of a line and the line that it meets
LONG = 0.45  # share of the image's side; a side of a frame is longer

Ints = NDArray[np.int64]


@dataclass
class Line:
    """A straight line y = slope * x + offset from `start` to `end`; x and y change places if it is `upright`."""

    upright: bool
    start: int
    end: int
    slope: float
    offset: float
    deviation: float
    thickness: float
    evenness: float  # share of the length over which the thickness is about the same
    side: int  # the image's length along the line, in pixels
    ends_outside: int = 0  # ends that run out of the picture or off the paper
    is_flush: bool = False  # it runs along the border of the image
    corners: int = 0  # ends at which it meets a line of the other direction
    partners: list[Line] = field(default_factory=list)  # these lines

    @property
    def length(self) -> int:
        return self.end - self.start

    @property
    def is_even(self) -> bool:
        return self.deviation < MAX_DEVIATION and self.evenness > 0.85

    def at(self, place: float) -> float:
        return self.slope * place + self.offset

    def is_print(self) -> bool:
        """Whether the line alone shows that it is no stroke of a digit."""
        if self.deviation > MAX_DEVIATION:
            return False
        if self.ends_outside == 2:  # along the border alone, it may be the hat of a 5 or 7 cut close
            return self.evenness > 0.5 and (self.corners > 0 or not self.is_flush)
        if self.corners + self.ends_outside < 2 or self.length <= LONG * self.side:
            return False
        # A side that the digit touches is uneven, but the sides that it meets are not.
        sides = [partner for partner in self.partners if partner.is_even and partner.length > LONG * partner.side]
        return self.is_even or (self.evenness > 0.4 and len(sides) >= self.corners)

    def sticks_out(self, box: IntBox) -> bool:
        """Whether the line, which touches the ink in (left, top, right, bottom), reaches too far beyond it."""
        low, high = (box[1], box[3]) if self.upright else (box[0], box[2])
        size = longer_side(box)
        before, after = low - self.start, self.end - high
        far_both_ways = min(before, after) > 0.25 * size and self.length > 1.6 * size
        return far_both_ways or (self.ends_outside > 0 and max(before, after) > 0.5 * size)


def find_lines(mask: Mask, paper: Mask) -> list[Line]:
    """Return the straight lines in a mask, level ones first."""
    length = int(MIN_LENGTH * max(mask.shape))
    lines = [*trace(mask, length, upright=False), *trace(np.ascontiguousarray(mask.T), length, upright=True)]
    for line in lines:
        place(line, lines, paper.T if line.upright else paper)
    return lines


def trace(mask: Mask, length: int, *, upright: bool) -> Iterator[Line]:
    """Yield the nearly level lines in a mask that are at least `length` long."""
    straight = straight_runs(mask, length)
    labels, stats = number_components(straight)
    for label, (left, top, width, height, _) in enumerate(stats[1:].tolist(), 1):
        if width < length or height > MAX_STEEPNESS * width:
            continue
        part = labels[top : top + height, left : left + width] == label
        line = fit(part, mask, left, top, upright=upright)
        if line is not None:
            yield line


def straight_runs(mask: Mask, length: int) -> NDArray[np.uint8]:
    """Return a mask (0 or 1) of the runs of at least `length` pixels along the slopes, gaps closed."""
    height, width = mask.shape
    margin = int(SLOPES[-1] * width / 2) + 2
    framed = cv2.copyMakeBorder(mask.astype(np.uint8), margin, margin, 0, 0, cv2.BORDER_CONSTANT, value=0)
    found: cv2.typing.MatLike = np.zeros_like(framed)
    gap, run = np.ones((1, MAX_GAP), np.uint8), np.ones((1, length), np.uint8)
    size = width, height + 2 * margin
    for slope in SLOPES:
        shear = np.array([[1, 0, 0], [slope, 1, -slope * width / 2]])
        level = cv2.warpAffine(framed, shear, size, flags=cv2.INTER_NEAREST) if slope else framed
        level = cv2.morphologyEx(level, cv2.MORPH_CLOSE, gap)
        level = cv2.morphologyEx(level, cv2.MORPH_OPEN, run, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        if level.any():
            flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
            found = cv2.max(found, cv2.warpAffine(level, shear, size, flags=flags) if slope else level)
    return np.ascontiguousarray(found[margin:-margin], dtype=np.uint8)


def fit(part: Mask, mask: Mask, left: int, top: int, *, upright: bool) -> Line | None:
    """Fit a line to the pixels of a straight run at (left, top) in the mask, or return None if it is not one."""
    height, width = part.shape
    columns = np.arange(width)
    filled = part.sum(axis=0)
    middle = (part * np.arange(height)[:, None]).sum(axis=0) / np.maximum(filled, 1)
    used = filled > 0
    slope, offset = 0.0, float(height / 2)
    for _ in range(2):  # the second time without the columns where a stroke crosses
        if np.count_nonzero(used) < width / 2:
            return None
        slope, offset = least_squares(columns[used], middle[used])
        distance = np.abs(middle - slope * columns - offset)
        if float(distance[used].max()) <= 0.75:
            break
        used &= distance <= max(ranked(distance[used], 0.8), 0.75)  # np.quantile takes ten times as long
    if np.count_nonzero(used) < width / 2 or abs(slope) > 0.14:
        return None
    deviation = float(np.sqrt(np.mean((middle[used] - slope * columns[used] - offset) ** 2)))
    offset += top - slope * left
    across = thickness(mask, left, left + width, slope, offset, int(ranked(filled[used], 0.5)) + 2)
    typical = ranked(across, 0.5)
    if typical > 0.2 * width:
        return None
    evenness = float((np.abs(across - typical) <= max(1.0, 0.2 * typical)).mean())
    return Line(upright, left, left + width, slope, offset, deviation, typical, evenness, mask.shape[1])


def ranked(values: NDArray[np.number], share: float) -> float:
    """Return the value that a share of the values does not exceed."""
    place = int(share * (len(values) - 1))
    return float(np.partition(values, place)[place])


def least_squares(x: Ints, y: NDArray[np.float64]) -> tuple[float, float]:
    """Return the slope and offset of the line nearest to the points."""
    count, total = len(x), float(x.sum())
    spread = float(x @ x) - total * total / count
    slope = (float(x @ y) - total * float(y.sum()) / count) / max(spread, 1.0)
    return slope, (float(y.sum()) - slope * total) / count


def thickness(mask: Mask, start: int, end: int, slope: float, offset: float, reach: int) -> Ints:
    """Return the inked pixels within `reach` of a line, for each pixel along it."""
    columns = np.arange(start, end)
    rows = np.round(slope * columns + offset).astype(int) + np.arange(-reach, reach + 1)[:, None]
    counted: Ints = mask[rows.clip(0, mask.shape[0] - 1), columns].sum(axis=0)
    return counted


def place(line: Line, lines: list[Line], paper: Mask) -> None:
    """Set where the line ends and what it meets. `paper` is turned so that the line is level."""
    height, width = paper.shape
    for end, step in ((line.start, -BORDER), (line.end - 1, BORDER)):
        row = int(np.clip(line.at(end), 0, height - 1))
        near_border = end <= BORDER or end >= width - 1 - BORDER
        line.ends_outside += bool(near_border or not paper[row, min(max(end + step, 0), width - 1)])
    middle = line.at((line.start + line.end) / 2)
    line.is_flush = min(middle, height - 1 - middle) < line.thickness + 2
    for end in (line.start, line.end):
        along = line.at(end)
        met = [other for other in lines if other.upright != line.upright and is_met(other, along, end)]
        line.corners += bool(met)
        line.partners += met


def is_met(other: Line, along: float, across: float) -> bool:
    """Whether a line passes a point that lies `along` it and `across` from its axis."""
    is_near = abs(other.at(along) - across) < CORNER + other.thickness
    return is_near and other.start - CORNER <= along <= other.end + CORNER


def erase(mask: Mask, lines: list[Line]) -> Mask:
    """Return a mask without the lines, except where a stroke crosses them: ink on both sides stays connected."""
    left = mask.copy()
    for line in lines:
        erase_level(mask.T if line.upright else mask, left.T if line.upright else left, line)
    return left


def erase_level(mask: Mask, left: Mask, line: Line) -> None:
    """Erase a level line of `mask` in `left`, in place."""
    height, width = mask.shape
    columns = np.arange(max(line.start - BORDER, 0), min(line.end + BORDER, width))
    middle, reach = line.slope * columns + line.offset, line.thickness / 2 + 1.2
    top, bottom = np.floor(middle - reach).astype(int), np.ceil(middle + reach).astype(int)
    above, below = (
        np.logical_or.reduce(
            [
                mask[rows.clip(0, height - 1), columns] & (rows >= 0) & (rows < height)
                for rows in (edge + way, edge + 2 * way)
            ]
        )
        for edge, way in ((top, -1), (bottom, 1))
    )
    wide = np.ones((1, 5), np.uint8)  # a slanted stroke leaves the line a little aside
    above, below = (cv2.dilate(side.astype(np.uint8)[None], wide)[0] > 0 for side in (above, below))
    crossed = above & below
    if crossed.mean() > 0.5:
        crossed[:] = False
    first, last = max(int(top.min()), 0), min(int(bottom.max()) + 1, height)
    rows = np.arange(first, last)[:, None]
    left[first:last, columns[0] : columns[-1] + 1] &= (rows < top) | (rows > bottom) | crossed
