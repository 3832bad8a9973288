"""Find the ink of a line of digits, and its connected components, at a working size."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognition.errors import BlankDrawing
from recognition.imaging.numbers.photo import ink_of_photo
from recognition.imaging.polarity import (
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
SAME_SIZE = 1.25  # a factor below that is not worth another scaling
TALL = 0.5  # of the highest component's height; a lower one does not tell how high a digit is

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
    corner: tuple[float, float]  # where its left top corner lies in the image
    reduction: float  # the image's pixels for each of its own, along a side

    def place(self, box: IntBox) -> tuple[int, int, int, int]:
        """Return a box of the working size as (left, top, width, height) in the image's pixels."""
        left, top, right, bottom = (side * self.reduction for side in box)
        x, y = self.corner
        return round(left + x), round(top + y), max(round(right - left), 1), max(round(bottom - top), 1)


def map_ink(grey: Image.Image, corner: tuple[int, int]) -> InkMap:
    """Find the ink in a grey image, which lies at `corner` of the whole one. Raises BlankDrawing."""
    factor = -(-max(grey.size) // OVERVIEW_SIDE)
    overview = grey.reduce(factor) if factor > 1 else grey
    inked, is_dark, background = binarize(overview)
    photo = None
    if not isinstance(background, int) or not is_even(np.asarray(overview), inked):
        photo = ink_of_photo(grey)
    if photo is not None:
        levels, left, top, reduction = photo.levels, 0.0, 0.0, photo.reduction
    else:
        box = grow(scaled(bounding_box(inked), factor), 3 * factor, grey.size)
        left, top = float(int(box[0])), float(int(box[1]))
        part = int(box[0]), int(box[1]), int(box[2]), int(box[3])
        behind = background if isinstance(background, int) else background_of(background, grey, part)
        levels, reduction = subtract_background(np.asarray(grey.crop(part)), is_dark, behind), 1.0
    strongest = int(levels.max())
    if strongest < 255:  # faint ink
        levels = cv2.convertScaleAbs(levels, alpha=255 / max(strongest, 1)).astype(np.uint8)
    place = left + corner[0], top + corner[1]
    return to_working_size(levels, place, reduction)


def to_working_size(levels: Levels, corner: tuple[float, float], reduction: float) -> InkMap:
    """Scale ink so that its digits are about DIGIT_HEIGHT high, and number its components. Raises BlankDrawing."""
    scale, labels, parts = 1.0, *find_parts(levels)
    if not parts:
        raise BlankDrawing
    wanted = min(DIGIT_HEIGHT / digit_height(parts), MAX_ENLARGEMENT, (MAX_AREA / levels.size) ** 0.5)
    if not 1 / SAME_SIZE < wanted < SAME_SIZE:
        size = max(round(levels.shape[1] * wanted), 1), max(round(levels.shape[0] * wanted), 1)
        interpolation = cv2.INTER_AREA if wanted < 1 else cv2.INTER_CUBIC
        levels, scale = np.asarray(cv2.resize(levels, size, interpolation=interpolation), np.uint8), wanted
        labels, parts = find_parts(levels)
    if not parts:
        raise BlankDrawing
    return InkMap(levels, labels, parts, digit_height(parts), pen_width(labels), corner, reduction / scale)


def scaled(box: IntBox, factor: int) -> tuple[float, float, float, float]:
    left, top, right, bottom = (float(side * factor) for side in box)
    return left, top, right, bottom


def background_of(background: Image.Image, grey: Image.Image, part: IntBox) -> Levels:
    """Return the part of a coarse map of the background that lies behind a part of the image."""
    across, down = background.width / grey.width, background.height / grey.height
    left, top, right, bottom = part
    box = left * across, top * down, right * across, bottom * down
    return np.asarray(background.resize((right - left, bottom - top), Image.Resampling.BILINEAR, box=box))


def find_parts(levels: Levels) -> tuple[Labels, list[Part]]:
    """Return the numbered components of the ink."""
    mask: Mask = levels > int(levels.max()) // 3
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    boxes = stats[1:, :4].tolist()
    parts = [Part(label, (x, y, x + w, y + h)) for label, (x, y, w, h) in enumerate(boxes, 1)]
    return np.asarray(labels, np.int32), parts


def digit_height(parts: list[Part]) -> float:
    """Return the typical height of the high components, in pixels."""
    heights = np.array([part.height for part in parts])
    return float(np.median(heights[heights >= TALL * heights.max()]))


def pen_width(labels: Labels) -> float:
    """Return the mean width of the strokes in pixels: twice the area over the length of the outline."""
    mask = (labels > 0).astype(np.uint8)
    area = int(np.count_nonzero(mask))
    return 2.0 * area / max(area - int(np.count_nonzero(cv2.erode(mask, np.ones((3, 3), np.uint8)))), 1)
