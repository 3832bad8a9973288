"""Find the digit in an image: its bounding box, and which connected components belong to it.

Levels are 0..255, boxes are (left, top, right, bottom) in pixels.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognition.errors import BlankDrawing
from recognition.imaging.decoding.frames import OVERVIEW_SIDE
from recognition.imaging.dots import is_dot, is_rounded
from recognition.imaging.polarity import (
    IntBox,
    Mask,
    binarize,
    bounding_box,
    enclose,
    grow,
    longer_side,
    subtract_background,
)
from recognition.imaging.scaling import Box, Levels, reduce, resize

MIN_SHEET_SHARE = 0.3  # the least share of an image that a sheet of paper on a desk takes
MIN_SHEET_FILL = 0.8  # the least inked share of a sheet's box; a closed loop is no sheet: an ellipse fills 0.785
MAX_BLOCKS = 56  # components are told apart on a grid of at most this many blocks a side
STRAY_MASS = 0.02  # share of the main component's mass; a lighter component is a dot, however near
STRAY_MASS_FAR = 0.4  # the additional share required for each main-component length of distance
NEAR = 0.1  # main-component lengths; a distance up to this adds nothing
STRAIGHT = 0.9  # share of a side's length; more is an edge or a ruled line, less may be a stroke
LONG_SIDE = 0.6  # share of the image along which ink runs straight, as the side of a frame does
SIDE_DEPTH = 0.2  # share of the ink's box in which ink is beside a side
FRAMED_SIDES = 3  # sides along which ink runs; with fewer, it is no frame around a digit
EVEN = 6  # levels between the darkest and the brightest paper of a drawing
MIN_DIGIT_SHARE = 0.003  # share of the image's area; less is no digit inside a frame or between lines

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Ink:
    """The ink of one image: where it is, and how to extract it at any scale."""

    grey: Levels
    is_dark: bool  # the ink is darker than the background
    background: int | Levels  # its level or, in uneven light, a coarse map of it
    box: Box
    mask: Levels | None  # coarse mask, 255 on the digit's components, if there are others
    is_drawing: bool = False  # no grain, shadow or pale print: drawn on a canvas, not a photo
    is_alone: bool = False  # a drawing of one component away from the border
    corner: tuple[int, int] = (0, 0)  # where the left top corner of `grey` lies in the image
    reduction: float = 1.0  # the image's pixels for each pixel of `grey`, along a side
    is_dot: bool = False  # it has no shape

    def resample(self, length: float) -> Levels:
        """Return the ink inside the box, its longer side scaled to about `length`, with a margin of 4 pixels."""
        scale = length / longer_side(self.box)
        left, top, right, bottom = self.region(scale)
        size = max(round((right - left) * scale), 1), max(round((bottom - top) * scale), 1)

        def scaled(layer: Levels, resampling: Image.Resampling = Image.Resampling.BILINEAR) -> Levels:
            """Return the part of a layer that covers the box. The layer may be coarser than the image."""
            across, down = layer.shape[1] / self.grey.shape[1], layer.shape[0] / self.grey.shape[0]
            return resize(layer, size, (left * across, top * down, right * across, bottom * down), resampling)

        background = self.background if isinstance(self.background, int) else scaled(self.background)
        ink = subtract_background(scaled(self.grey), self.is_dark, background)
        return ink if self.mask is None else np.minimum(ink, scaled(self.mask, Image.Resampling.NEAREST))

    def region(self, scale: float) -> Box:
        """Return the box with a margin of 4 pixels of `grey` scaled by `scale`, as far as it reaches."""
        return grow(self.box, 4 / scale, (self.grey.shape[1], self.grey.shape[0]))


def find_ink(grey: Levels, corner: tuple[int, int], longest: int) -> Ink:
    """Find the ink in a grey part of an image, which lies there at `corner`; smaller than 2 % of `longest` is a speck.

    Raises BlankDrawing if the part has no ink.
    """
    while True:
        factor = -(-max(grey.shape) // OVERVIEW_SIDE)
        overview = reduce(grey, factor) if factor > 1 else grey
        inked, is_dark, background = binarize(overview)
        box, mask, is_single = locate_digit(inked)
        left, top, right, bottom = (side * factor for side in box)
        full_size_box = left, top, right, bottom
        if is_sheet(inked, box):
            edge = max((box[2] - box[0]) * 3 // 100, 2)
            try:
                sheet, place = crop(grey, corner, grow(full_size_box, -edge * factor, grey.shape[::-1]))
                return find_ink(sheet, place, max(sheet.shape))
            except BlankDrawing:
                pass  # no digit on it: it is solid ink, not a sheet
        if factor == 1 or longer_side(box) >= OVERVIEW_SIDE // 5:
            break
        room = longer_side(box) // 2 + 4
        # A small digit in a large image: look closer.
        grey, corner = crop(grey, corner, grow(full_size_box, room * factor, grey.shape[::-1]))
    if longer_side(full_size_box) < min(max(0.02 * longest, 3), 16):
        raise BlankDrawing  # a speck
    is_drawing = isinstance(background, int) and is_even(overview, inked)
    is_alone = is_drawing and is_single and stands_alone(inked, box)
    dot = is_dot(digit_in(inked, box, mask))
    return Ink(grey, is_dark, background, full_size_box, mask, is_drawing, is_alone, corner, is_dot=dot)


def digit_in(inked: Mask, box: IntBox, mask: Levels | None) -> Mask:
    """Return the digit's part of a mask, as `locate_digit` found it."""
    left, top, right, bottom = box
    part = inked[top:bottom, left:right]
    return part if mask is None else part & (mask[top:bottom, left:right] > 0)


def is_even(levels: Levels, inked: Mask) -> bool:
    """Whether there is no grain, shadow or pale print between the ink, as on a canvas."""
    beside = cv2.erode((~inked).view(np.uint8), np.ones((5, 5), np.uint8))
    darkest, brightest, _, _ = cv2.minMaxLoc(levels, beside)
    return brightest - darkest <= EVEN


def stands_alone(inked: Mask, box: IntBox) -> bool:
    """Whether ink that is one component lies away from the border, and is no frame around something."""
    left, top, right, bottom = box
    if left == 0 or top == 0 or right == inked.shape[1] or bottom == inked.shape[0]:
        return False
    part = inked[top:bottom, left:right]
    height, width = part.shape
    rows, columns = (cv2.reduce(part.view(np.uint8), axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S) for axis in (1, 0))
    longest = max(int(rows.max()) / inked.shape[1], int(columns.max()) / inked.shape[0])
    if min(width, height) <= 0.5 * min(inked.shape) or longest <= LONG_SIDE:  # too narrow or too small for a frame
        return True
    beside = sides_along(part, max(round(SIDE_DEPTH * height), 2), max(round(SIDE_DEPTH * width), 2))
    return sum(share >= STRAIGHT for share in beside) < FRAMED_SIDES


def sides_along(part: Mask, rows: int, columns: int) -> list[float]:
    """Return along which share of the top, bottom, left and right side there is ink, within rows or columns of it."""
    level = (part[:rows].any(axis=0), part[-rows:].any(axis=0))
    upright = (part[:, :columns].any(axis=1), part[:, -columns:].any(axis=1))
    return [np.count_nonzero(band) / band.size for band in (*level, *upright)]


def crop(grey: Levels, corner: tuple[int, int], box: Box) -> tuple[Levels, tuple[int, int]]:
    """Return a box of the image, and its left top corner where the image's own lies at `corner`."""
    left, top, right, bottom = (int(side) for side in box)
    return grey[top:bottom, left:right], (corner[0] + left, corner[1] + top)


def is_sheet(inked: Mask, box: IntBox) -> bool:
    """Whether the found ink is a sheet of paper, on a desk or in a frame, with the digit as holes in it."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    if width * height < MIN_SHEET_SHARE * inked.size or min(width, height) < max(width, height) / 2:
        return False
    sheet = inked[top:bottom, left:right]
    return int(np.count_nonzero(sheet)) > MIN_SHEET_FILL * width * height and not is_rounded(sheet)


def locate_digit(inked: Mask) -> tuple[IntBox, Levels | None, bool]:
    """Return the digit's bounding box in an (H, W) mask, a coarse mask of it, and whether all ink is connected.

    The mask is None if all ink belongs to the digit. Raises BlankDrawing if nothing is inked.
    """
    box = left, top, right, bottom = bounding_box(inked)
    crop = inked[top:bottom, left:right]
    if cv2.connectedComponents(crop.view(np.uint8), connectivity=8)[0] == 2:
        return box, None, True
    if crop.any(axis=1).all() and crop.any(axis=0).all() and not has_ruled_lines(inked, box):
        return box, None, False  # no gap in either direction: nothing lies apart
    height, width = inked.shape
    step = -(-max(inked.shape) // MAX_BLOCKS)
    blocks = np.pad(inked, ((0, -height % step), (0, -width % step))).reshape(-(-height // step), step, -1, step)
    mass = blocks.sum(axis=(1, 3))
    labels: Labels = np.asarray(cv2.connectedComponents((mass > 0).astype(np.uint8), connectivity=8)[1], np.int64)
    rest = np.isin(labels, find_surroundings(labels, mass, inked.size), invert=True)
    keep = rest & ~np.isin(labels, find_strays(labels * rest, mass * rest))
    if keep.all():
        return box, None, False
    fine = np.repeat(np.repeat(keep, step, axis=0), step, axis=1)[:height, :width]
    return bounding_box(inked & fine), fine.astype(np.uint8) * np.uint8(255), False


def has_ruled_lines(inked: Mask, box: IntBox) -> bool:
    """Whether ink runs along a side of the image, or the box starts and ends with a level line, as a frame does."""
    left, top, right, bottom = box
    if left == 0 or top == 0 or bottom == inked.shape[0] or right == inked.shape[1]:
        sides = inked[0], inked[-1], inked[:, 0], inked[:, -1]
        if max(float(side.mean()) for side in sides) > STRAIGHT:
            return True
    first, last = inked[top : top + 3, left:right], inked[max(bottom - 3, top) : bottom, left:right]
    return bool(first.any(axis=0).mean() > STRAIGHT and last.any(axis=0).mean() > STRAIGHT)


def find_surroundings(labels: Labels, mass: Labels, area: int) -> list[int]:
    """Return the labels of a desk's edge, a line or a frame around the digit; empty if no whole digit would remain."""
    sides = labels[0], labels[-1], labels[:, 0], labels[:, -1]
    found = {int(label) for side in sides for label in set(side[side > 0]) if (side == label).mean() > STRAIGHT}
    found |= {int(label) for label in np.unique(labels[labels > 0]) if is_frame(labels == label)}
    found = {label for label in found if mass[labels == label].sum() < area / 2}  # a heavier one is a sheet
    remaining = np.isin(labels, [0, *found], invert=True)
    touches_border = any(side.any() for side in (remaining[0], remaining[-1], remaining[:, 0], remaining[:, -1]))
    if not found or touches_border or mass[remaining].sum() < MIN_DIGIT_SHARE * area:
        return []
    return sorted(found)


def is_frame(component: Mask) -> bool:
    """Whether a component runs along all four sides of its own box in straight lines and leaves the inside free."""
    left, top, right, bottom = bounding_box(component)
    crop = component[top:bottom, left:right]
    return min(crop.shape) >= 8 and crop.mean() <= 0.5 and min(sides_along(crop, 2, 2)) > STRAIGHT


def find_strays(labels: Labels, mass: Labels) -> list[int]:
    """Return the labels of the components that do not belong to the digit: too light for their distance from it."""
    weights = np.bincount(labels.ravel(), weights=mass.ravel())
    weights[0] = 0
    order = [int(label) for label in np.argsort(-weights, kind="stable") if weights[label] > 0]
    boxes = {label: bounding_box(labels == label) for label in order}
    digit, heaviest = boxes[order[0]], weights[order[0]]
    length = longer_side(digit)
    strays = []
    for label in order[1:]:
        left, top, right, bottom = boxes[label]
        gap = max(left - digit[2], digit[0] - right, top - digit[3], digit[1] - bottom, 0)
        if weights[label] < heaviest * (STRAY_MASS + STRAY_MASS_FAR * max(gap / length - NEAR, 0)):
            strays.append(label)
            continue
        digit = enclose(digit, boxes[label])
    return strays
