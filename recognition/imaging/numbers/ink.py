"""Find the ink of a line of digits, and its connected components, at a working size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognition.errors import BlankDrawing, TooManyDigits
from recognition.imaging.numbers.photo import ink_of_photo
from recognition.imaging.polarity import (
    Box,
    IntBox,
    Levels,
    Mask,
    binarize,
    bounding_box,
    grow,
    subtract_background,
)
from recognition.imaging.segmentation import is_even

OVERVIEW_SIDE = 400  # pixels of the longer side, at most, of the picture in which ink is looked for
DIGIT_HEIGHT = 80.0  # pixels of a digit at the working size
MAX_AREA = 600_000  # pixels of the working size
MAX_ENLARGEMENT = 3.0
MIN_PEN = 1.5  # pixels of the working size; a thinner stroke is widened, or it would break
SAME_SIZE = 1.25  # a factor below that is not worth another scaling
TALL = 0.5  # of the highest component's height; a lower one does not tell how high a digit is
MIN_SIDE = 3  # pixels of the image; a picture without a longer part has only specks
SPECK = 0.1  # digit heights; a smaller part is dirt
MAX_PARTS = 200  # more are a texture or a page of text
LOW = 0.35  # digit heights; a lower part is no digit
LINE = 1.6  # digit heights; a low part that is longer is no bar of a 5 either

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
    parts: list[Part]
    digit_height: float  # pixels
    pen: float  # the mean width of the strokes, in pixels
    area: Box  # what it covers of the image
    is_surrounded: bool  # more than digits was found: a photo, print

    def place(self, box: IntBox) -> tuple[int, int, int, int]:
        """Return a box of the working size as (left, top, width, height) in the image's pixels."""
        x, y, end, low = self.area
        across, down = (end - x) / self.levels.shape[1], (low - y) / self.levels.shape[0]
        left, right = min(round(box[0] * across + x), int(end) - 1), round(box[2] * across + x)
        top, bottom = min(round(box[1] * down + y), int(low) - 1), round(box[3] * down + y)
        return left, top, max(right - left, 1), max(bottom - top, 1)


def map_ink(grey: Image.Image, corner: tuple[int, int]) -> InkMap:
    """Find the ink in a grey image, which lies at `corner` of the whole one. Raises BlankDrawing and TooManyDigits."""
    factor = -(-max(grey.size) // OVERVIEW_SIDE)
    overview = grey.reduce(factor) if factor > 1 else grey
    inked, is_dark, background = binarize(overview)
    is_drawing = isinstance(background, int) and is_even(np.asarray(overview), inked)
    if is_drawing:
        box = grow(scaled(bounding_box(inked), factor), 3 * factor, grey.size)
        ink = map_part(grey, box, is_dark, background, corner)
        if not has_print(ink):
            return ink
    photo = ink_of_photo(grey, everywhere=is_drawing)
    if photo is not None:
        return to_working_size(photo, area_of(grey, corner), is_surrounded=True)
    whole = area_of(grey, (0, 0))
    return replace(map_part(grey, whole, is_dark, background, corner), is_surrounded=True)


def map_part(
    grey: Image.Image, box: Box, is_dark: bool, background: int | Image.Image, corner: tuple[int, int]
) -> InkMap:
    """Find the ink in a box of a grey image by its difference from the background."""
    left, top = int(box[0]), int(box[1])
    part = grey.crop((left, top, int(box[2]), int(box[3])))
    area = area_of(part, (left + corner[0], top + corner[1]))
    factor = int((part.width * part.height / MAX_AREA) ** 0.5)
    if factor > 1:
        part = part.reduce(factor)
    behind = background if isinstance(background, int) else background_of(background, grey, box, part.size)
    levels = subtract_background(np.asarray(part), is_dark, behind)
    return to_working_size(levels, area)


def has_print(ink: InkMap) -> bool:
    """Whether a long low line, a frame around something tall or more lines of writing were found."""
    tall = [part for part in ink.parts if part.height > TALL * ink.digit_height]
    for part in ink.parts:
        if part.height < LOW * ink.digit_height and part.width > LINE * ink.digit_height:
            return True
        if part in tall and any(encloses(part.box, other.box) for other in tall):
            return True
    return False


def encloses(one: IntBox, other: IntBox) -> bool:
    return one[0] < other[0] and one[1] < other[1] and one[2] > other[2] and one[3] > other[3]


def to_working_size(levels: Levels, area: Box, *, is_surrounded: bool = False) -> InkMap:
    """Scale ink so that its digits are about DIGIT_HEIGHT high, and number its components.

    Raises BlankDrawing and TooManyDigits.
    """
    levels = strengthen(levels)
    labels, parts, height = find_parts(levels)
    wanted = min(DIGIT_HEIGHT / height, MAX_ENLARGEMENT, (MAX_AREA / levels.size) ** 0.5)
    if not 1 / SAME_SIZE < wanted < SAME_SIZE:
        size = max(round(levels.shape[1] * wanted), 1), max(round(levels.shape[0] * wanted), 1)
        interpolation = cv2.INTER_AREA if wanted < 1 else cv2.INTER_CUBIC
        reach = round(MIN_PEN / wanted - pen_width(labels))
        if reach > 0:
            levels = np.asarray(cv2.dilate(levels, np.ones((reach + 1, reach + 1), np.uint8)), np.uint8)
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


def area_of(grey: Image.Image, corner: tuple[int, int]) -> Box:
    """Return the box of a grey image that lies at `corner` of the whole one."""
    return float(corner[0]), float(corner[1]), float(corner[0] + grey.width), float(corner[1] + grey.height)


def scaled(box: IntBox, factor: int) -> tuple[float, float, float, float]:
    left, top, right, bottom = (float(side * factor) for side in box)
    return left, top, right, bottom


def background_of(background: Image.Image, grey: Image.Image, box: Box, size: tuple[int, int]) -> Levels:
    """Return the part of a coarse map of the background that lies behind a box of the image, in another size."""
    across, down = background.width / grey.width, background.height / grey.height
    left, top, right, bottom = box
    part = left * across, top * down, right * across, bottom * down
    return np.asarray(background.resize(size, Image.Resampling.BILINEAR, box=part))


def find_parts(levels: Levels) -> tuple[Labels, list[Part], float]:
    """Return the numbered components of the ink, those that are no specks, and the height of a digit in pixels.

    Raises BlankDrawing and TooManyDigits.
    """
    mask: Mask = levels > int(levels.max()) // 3
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    sizes = stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    if not len(sizes):
        raise BlankDrawing
    heights = sizes[:, 1]
    height = float(np.median(heights[heights >= TALL * heights.max()]))
    found = 1 + np.flatnonzero(sizes.max(axis=1) > SPECK * height)
    if len(found) > MAX_PARTS:
        raise TooManyDigits
    boxes = zip(found.tolist(), stats[found, :4].tolist(), strict=True)
    parts = [Part(label, (x, y, x + w, y + h)) for label, (x, y, w, h) in boxes]
    return np.asarray(labels, np.int32), parts, height


def pen_width(labels: Labels) -> float:
    """Return the mean width of the strokes in pixels: twice the area over the length of the outline."""
    mask = (labels > 0).astype(np.uint8)
    area = int(np.count_nonzero(mask))
    return 2.0 * area / max(area - int(np.count_nonzero(cv2.erode(mask, np.ones((3, 3), np.uint8)))), 1)
