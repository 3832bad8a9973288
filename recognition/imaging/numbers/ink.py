"""Find the ink of a line of digits, and its connected components, at a working size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.errors import BlankDrawing, TooManyDigits
from recognition.imaging.components import number_components
from recognition.imaging.numbers.photo import ink_of_photo
from recognition.imaging.polarity import (
    IntBox,
    binarize,
    bounding_box,
    grow,
    is_ink,
    subtract_background,
)
from recognition.imaging.scaling import Box, Levels, reduce, resize
from recognition.imaging.segmentation import is_even

OVERVIEW_SIDE = 400  # pixels of the longer side, at most, of the picture in which ink is located
DIGIT_HEIGHT = 80.0  # pixels of a digit at the working size
MAX_AREA = 600_000  # pixels of the working size; bounds the time of a request
MAX_ENLARGEMENT = 3.0  # a factor; more only blurs
SAME_SIZE = 1.25  # a smaller factor is not worth another scaling
MIN_INK_LEVEL = 85  # of 255; a third, as in `is_ink`
COMPARABLE = 0.5  # heights of the highest component; a lower one says nothing about a digit's height
MIN_PEN = 2.0  # pixels of the working size; reduction would break a thinner pen's strokes
MIN_SIDE = 3  # pixels of the image; a picture without a longer component has only specks
SPECK_SIDE = 0.1  # digit heights; a smaller component is dirt
MAX_PARTS = 200  # more components are a texture or a page of text
TALL_HEIGHT = 0.5  # digit heights; a higher component is a digit or several
LOW_HEIGHT = 0.35  # digit heights; a lower component is no digit
RULE_WIDTH = 1.6  # digit heights; a wider low component is a ruled line, not the bar of a 5

Labels = NDArray[np.int32]


@dataclass(frozen=True)
class Part:
    """One connected component; its box is (left, top, right, bottom)."""

    label: int
    box: IntBox

    @property
    def width(self) -> int:
        return self.box[2] - self.box[0]

    @property
    def height(self) -> int:
        return self.box[3] - self.box[1]

    @property
    def middle(self) -> tuple[float, float]:
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2


@dataclass(frozen=True)
class InkMap:
    """The ink of a picture at the working size."""

    levels: Levels  # [height, width], 255 in the middle of a stroke
    labels: Labels  # the number of every pixel's component, 0 for none
    parts: list[Part]  # without specks
    digit_height: float  # pixels
    pen: float  # mean width of the strokes in pixels
    area: Box  # the image's pixels that it covers
    is_surrounded: bool  # the picture shows more than digits: a photo, print

    def is_tall(self, part: Part) -> bool:
        """Whether a component is as high as a digit."""
        return part.height > TALL_HEIGHT * self.digit_height

    def is_low(self, part: Part) -> bool:
        """Whether a component is too low for a digit; it may still belong to one."""
        return part.height < LOW_HEIGHT * self.digit_height

    def place(self, box: IntBox) -> tuple[int, int, int, int]:
        """Return a box of the working size as (left, top, width, height) in the image's pixels."""
        x, y, end, low = self.area
        across, down = (end - x) / self.levels.shape[1], (low - y) / self.levels.shape[0]
        left, right = min(round(box[0] * across + x), int(end) - 1), round(box[2] * across + x)
        top, bottom = min(round(box[1] * down + y), int(low) - 1), round(box[3] * down + y)
        return left, top, max(right - left, 1), max(bottom - top, 1)


def map_ink(grey: Levels, corner: tuple[int, int]) -> InkMap:
    """Find the ink in a grey image. Raises BlankDrawing and TooManyDigits.

    Args:
        grey: the visible part of the image.
        corner: x and y of its left top corner in the image, in pixels.
    """
    factor = -(-max(grey.shape) // OVERVIEW_SIDE)
    overview = reduce(grey, factor) if factor > 1 else grey
    inked, is_dark, background = binarize(overview)
    is_drawing = isinstance(background, int) and is_even(overview, inked)
    if is_drawing:
        box = grow(scaled(bounding_box(inked), factor), 3 * factor, grey.shape[::-1])
        ink = map_part(grey, box, is_dark, background, corner)
        if not has_print(ink):
            return ink
    photo = ink_of_photo(grey, everywhere=is_drawing)
    if photo is not None:
        return to_working_size(photo, area_of(grey, corner), is_surrounded=True)
    whole = area_of(grey, (0, 0))
    return replace(map_part(grey, whole, is_dark, background, corner), is_surrounded=True)


def map_part(grey: Levels, box: Box, is_dark: bool, background: int | Levels, corner: tuple[int, int]) -> InkMap:
    """Find the ink in a box of a grey image by its difference from the background."""
    left, top, right, bottom = (int(side) for side in box)
    part = grey[top:bottom, left:right]
    area = area_of(part, (left + corner[0], top + corner[1]))
    factor = int((part.size / MAX_AREA) ** 0.5)
    if factor > 1:
        part = reduce(part, factor)
    behind = background if isinstance(background, int) else background_of(background, grey, box, part.shape[::-1])
    return to_working_size(subtract_background(part, is_dark, behind), area)


def has_print(ink: InkMap) -> bool:
    """Whether the ink holds a ruled line or a frame around something tall."""
    tall = [part for part in ink.parts if ink.is_tall(part)]
    for part in ink.parts:
        if ink.is_low(part) and part.width > RULE_WIDTH * ink.digit_height:
            return True
        if part in tall and any(encloses(part.box, other.box) for other in tall):
            return True
    return False


def encloses(one: IntBox, other: IntBox) -> bool:
    """Whether the other box lies inside the first, (left, top, right, bottom) each."""
    return one[0] < other[0] and one[1] < other[1] and one[2] > other[2] and one[3] > other[3]


def to_working_size(levels: Levels, area: Box, *, is_surrounded: bool = False) -> InkMap:
    """Scale ink so that its digits are about DIGIT_HEIGHT high, and number its components.

    Raises BlankDrawing and TooManyDigits.
    """
    levels = strengthen(levels)
    labels, parts, height = find_parts(levels)
    wanted = min(DIGIT_HEIGHT / height, MAX_ENLARGEMENT, (MAX_AREA / levels.size) ** 0.5)
    if not 1 / SAME_SIZE < wanted < SAME_SIZE:
        missing = MIN_PEN / wanted - pen_width(labels)
        if missing > 1:
            side = round(missing) + 1  # a square: a large disc takes sixty times as long
            levels = np.asarray(cv2.dilate(levels, np.ones((side, side), np.uint8)), np.uint8)
        size = max(round(levels.shape[1] * wanted), 1), max(round(levels.shape[0] * wanted), 1)
        interpolation = cv2.INTER_AREA if wanted < 1 else cv2.INTER_CUBIC
        levels = strengthen(np.asarray(cv2.resize(levels, size, interpolation=interpolation), np.uint8))
        labels, parts, height = find_parts(levels)
    ink = InkMap(levels, labels, parts, height, pen_width(labels), area, is_surrounded)
    if max(max(ink.place(part.box)[2:]) for part in parts) < MIN_SIDE:
        raise BlankDrawing
    return ink


def strengthen(levels: Levels) -> Levels:
    """Return ink whose strongest level is 255: faint ink, and hairlines that the scaling has thinned out."""
    strongest = int(levels.max())
    if strongest in (0, 255):
        return levels
    return np.asarray(cv2.convertScaleAbs(levels, alpha=255 / strongest), np.uint8)


def area_of(grey: Levels, corner: tuple[int, int]) -> Box:
    """Return the box of a grey image that lies at `corner` of the whole one."""
    return float(corner[0]), float(corner[1]), float(corner[0] + grey.shape[1]), float(corner[1] + grey.shape[0])


def scaled(box: IntBox, factor: int) -> tuple[float, float, float, float]:
    """Return a box with its sides multiplied."""
    left, top, right, bottom = (float(side * factor) for side in box)
    return left, top, right, bottom


def background_of(background: Levels, grey: Levels, box: Box, size: tuple[int, int]) -> Levels:
    """Return the background behind a box of the image, uint8 [height, width].

    Args:
        background: coarse map of the whole image's background.
        size: width and height of the result in pixels.
    """
    across, down = background.shape[1] / grey.shape[1], background.shape[0] / grey.shape[0]
    left, top, right, bottom = box
    return resize(background, size, (left * across, top * down, right * across, bottom * down))


def find_parts(levels: Levels) -> tuple[Labels, list[Part], float]:
    """Return the number of each pixel's component, the components without specks, and a digit's height in pixels.

    Raises BlankDrawing and TooManyDigits.
    """
    labels, stats = number_components(is_ink(levels))
    sizes = stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    if not len(sizes):
        raise BlankDrawing
    heights = sizes[:, 1]
    height = float(np.median(heights[heights >= COMPARABLE * heights.max()]))
    found = 1 + np.flatnonzero(sizes.max(axis=1) > SPECK_SIDE * height)
    if len(found) > MAX_PARTS:
        raise TooManyDigits
    boxes = zip(found.tolist(), stats[found, :4].tolist(), strict=True)
    parts = [Part(label, (x, y, x + w, y + h)) for label, (x, y, w, h) in boxes]
    return labels, parts, height


def pen_width(labels: Labels) -> float:
    """Return the mean width of the strokes in pixels: twice the area over the length of the outline."""
    mask = (labels > 0).astype(np.uint8)
    area = int(np.count_nonzero(mask))
    return 2.0 * area / max(area - int(np.count_nonzero(cv2.erode(mask, np.ones((3, 3), np.uint8)))), 1)
