"""Choose the connected components that make up the digit, among print, dirt and what lies on the paper."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.imaging.components import number_components
from recognition.imaging.lines import Line
from recognition.imaging.paper import disc
from recognition.imaging.polarity import IntBox, Mask, enclose, longer_side
from recognition.imaging.segmentation import NEAR, STRAY_MASS, STRAY_MASS_FAR

MIN_AREA = 10  # pixels at the working size
MIN_SIDE = 0.03  # of the image's longer side
MIN_FRAME = 0.25  # of the image's longer side
MIN_IN_FRAME = 0.2  # height of a digit by that of the circle around it
STRAIGHT = 0.8  # share of a component's pixels that lie along one line
MAX_SMALL = 3  # components of less than SMALL of the digit's area; more of them are dots or dirt
SMALL = 0.08


@dataclass(frozen=True)
class Part:
    """One connected component; its box is (left, top, right, bottom)."""

    label: int
    box: IntBox
    area: int
    half_width: float  # of its thickest stroke, in pixels
    at_edge: bool  # touches the border of the image or of the paper
    line: Line | None  # the line of which it consists

    @property
    def size(self) -> int:
        return int(longer_side(self.box))

    @property
    def is_print(self) -> bool:
        return self.line is not None and bool(self.line.corners or self.line.ends_outside)


@dataclass(frozen=True)
class Digit:
    """The components that make up the digit, and what else was found."""

    mask: Mask
    box: IntBox
    is_surrounded: bool  # a circle around it, dots or something at the border was left out
    is_cut_off: bool  # it touches the border
    is_one_of_several: bool  # something as large stands beside it


def find_digit(mask: Mask, paper: Mask, lines: list[Line], erased: list[Line]) -> Digit | None:
    """Return the digit in a mask from which some of its lines were erased, or None if nothing is left."""
    labels, parts = find_parts(mask, paper, lines)
    frames = find_frames(labels, parts)
    parts = [part for part in parts if part.label not in frames]
    if not parts:
        return None
    main = max(parts, key=lambda part: likelihood(part, mask.shape))
    chosen, others = join(main, parts, erased)
    left_at_edge = not main.at_edge and any(
        part.at_edge and part.area > 0.15 * main.area and part.half_width > 1.5 * main.half_width for part in parts
    )
    is_surrounded = bool(frames) or left_at_edge or sum(part.area < SMALL * main.area for part in parts) > MAX_SMALL
    box = reduce(enclose, (part.box for part in chosen))
    digit = np.isin(labels, [part.label for part in chosen])
    return Digit(digit, box, is_surrounded, main.at_edge, others)


def find_parts(mask: Mask, paper: Mask, lines: list[Line]) -> tuple[NDArray[np.int32], list[Part]]:
    """Return the numbered components of a mask, and those that are large enough."""
    labels, stats = number_components(mask)
    count, areas = len(stats), stats[:, cv2.CC_STAT_AREA]
    half_width = np.zeros(count)
    distances = cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, 3)[mask]
    order = np.argsort(distances)
    half_width[labels[mask][order]] = distances[order]  # of a component's values, the last one stays
    outside = cv2.dilate((~paper).astype(np.uint8), disc(5)) > 0
    outside[:2] = outside[-2:] = outside[:, :2] = outside[:, -2:] = True
    at_edge = np.bincount(labels[outside & mask], minlength=count) > 0
    line_of = {label: line for line in lines for label in parts_along(line, labels, areas)}
    parts = []
    for label in range(1, count):
        left, top, width, height, area = (int(number) for number in stats[label])
        if area >= MIN_AREA and max(width, height) >= MIN_SIDE * max(mask.shape):
            box = left, top, left + width, top + height
            part = Part(label, box, area, float(half_width[label]), bool(at_edge[label]), line_of.get(label))
            parts.append(part)
    return labels, parts


def parts_along(line: Line, labels: NDArray[np.int32], areas: NDArray[np.int32]) -> list[int]:
    """Return the labels of the components that consist of a line."""
    level = labels.T if line.upright else labels
    columns = np.arange(line.start, line.end)
    reach = int(line.thickness / 2 + 2)
    rows = np.round(line.slope * columns + line.offset).astype(int) + np.arange(-reach, reach + 1)[:, None]
    along = np.bincount(level[rows.clip(0, level.shape[0] - 1), columns].ravel(), minlength=len(areas))
    along[0] = 0
    return [int(label) for label in np.flatnonzero(along > STRAIGHT * areas)]


def find_frames(labels: NDArray[np.int32], parts: list[Part]) -> set[int]:
    """Return the labels of the components that enclose another large one, as a circle around a digit does."""
    frames = set()
    for part in parts:
        left, top, right, bottom = part.box
        if min(right - left, bottom - top) < MIN_FRAME * max(labels.shape) or part.area > 0.5 * (right - left) * (
            bottom - top
        ):
            continue
        inside = [
            other
            for other in parts
            if left < other.box[0] and top < other.box[1] and other.box[2] < right and other.box[3] < bottom
            if other.box[3] - other.box[1] > MIN_IN_FRAME * (bottom - top) and other.area > 0.05 * part.area
        ]
        if inside:
            hull = convex_hull(labels == part.label)  # a ring drawn by hand need not close
            if any(hull[labels == other.label].mean() > 0.9 for other in inside):
                frames.add(part.label)
    return frames


def convex_hull(mask: Mask) -> Mask:
    """Return the smallest convex mask around a mask."""
    hull = cv2.convexHull(cv2.findNonZero(mask.astype(np.uint8)))
    filled = cv2.fillConvexPoly(np.zeros(mask.shape, np.uint8), hull, 1)
    return np.asarray(filled, bool)


def likelihood(part: Part, shape: tuple[int, ...]) -> float:
    """Return how likely a component is the digit: large, high, in the middle, a stroke, and no print."""
    left, top, right, bottom = part.box
    across, down = (left + right) / 2 / shape[1] - 0.5, (top + bottom) / 2 / shape[0] - 0.5
    value = float(part.size * np.exp(-4 * (across**2 + down**2)))
    value *= 1.0 if bottom - top >= 0.6 * (right - left) else 0.6
    value *= 0.35 if part.at_edge else 1.0
    if part.line is not None:
        value *= 0.3 if part.is_print else 0.75
    is_blot = part.size > 12 and 2 * part.half_width > 0.45 * part.size
    return value * 0.5 if is_blot else value


def join(main: Part, parts: list[Part], erased: list[Line]) -> tuple[list[Part], bool]:
    """Return the components that belong to the digit, and whether another one as large stands beside it."""
    others = sorted((part for part in parts if part is not main), key=lambda part: -part.area)
    small = [part for part in others if part.area < SMALL * main.area]
    chosen, box, has_rival = [main], main.box, False
    for part in others:
        left, top, right, bottom = part.box
        gap = max(left - box[2], box[0] - right, top - box[3], box[1] - bottom, 0) / main.size
        is_stray = part.area < main.area * (STRAY_MASS + STRAY_MASS_FAR * max(gap - NEAR, 0))
        is_dot = part in small and len(small) > MAX_SMALL
        is_apart = (part.at_edge and not main.at_edge) or any(separates(line, main, part) for line in erased)
        is_line = part.line is not None and (part.is_print or gap > 0.12 or part.size > 1.4 * main.size)
        if is_stray or is_dot or is_apart or is_line:
            continue
        if part.area > 0.3 * main.area and gap > 0.2:
            has_rival = True
        elif 0.3 * main.half_width <= part.half_width <= 2.2 * main.half_width + 1:
            chosen.append(part)
            box = enclose(box, part.box)
    return chosen, has_rival


def separates(line: Line, one: Part, other: Part) -> bool:
    """Whether a line runs between two components."""
    (x, y), (u, v) = (
        ((part.box[0] + part.box[2]) / 2, (part.box[1] + part.box[3]) / 2)[:: -1 if line.upright else 1]
        for part in (one, other)
    )
    return (y - line.at(x)) * (v - line.at(u)) < 0 and line.start - 5 <= (x + u) / 2 <= line.end + 5
