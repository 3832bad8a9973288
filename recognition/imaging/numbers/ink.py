"""Find the ink of a line of digits, and its connected components, at a working size."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognition.errors import BlankDrawing
from recognition.imaging.polarity import (
    IntBox,
    Levels,
    Mask,
    binarize,
    bounding_box,
    grow,
    subtract_background,
)

OVERVIEW = 400  # pixels of the longer side in which ink is looked for
DIGIT_HEIGHT = 80  # pixels of a digit at the working size
MAX_AREA = 600_000  # pixels of the working size
MAX_ENLARGEMENT = 3.0
MIN_SHARE = 0.5  # of the highest component's height; a lower one does not tell how high a digit is


@dataclass(frozen=True)
class Part:
    """One connected component; its box is (left, top, right, bottom)."""

    label: int
    box: IntBox
    area: int

    @property
    def width(self) -> int:
        return self.box[2] - self.box[0]

    @property
    def height(self) -> int:
        return self.box[3] - self.box[1]


@dataclass(frozen=True)
class InkLine:
    """The ink of a picture at the working size."""

    levels: Levels  # [height, width], 255 in the middle of a stroke
    labels: NDArray[np.int32]  # the number of every pixel's component, 0 for none
    parts: list[Part]
    digit_height: float  # pixels
    corner: tuple[float, float]  # where its left top corner lies in the image
    reduction: float  # the image's pixels for each of its own, along a side

    def place(self, box: IntBox) -> tuple[int, int, int, int]:
        """Return a box of the working size as left, top, width and height in the image's pixels."""
        left, top, right, bottom = (side * self.reduction for side in box)
        x, y = self.corner
        return round(left + x), round(top + y), round(right - left), round(bottom - top)


def find_ink_line(grey: Image.Image, corner: tuple[int, int]) -> InkLine:
    """Find the ink in a grey image, which lies at `corner` of the whole one. Raises BlankDrawing."""
    factor = -(-max(grey.size) // OVERVIEW)
    overview = grey.reduce(factor) if factor > 1 else grey
    inked, is_dark, background = binarize(overview)
    box = grow(tuple(side * factor for side in bounding_box(inked)), 3 * factor, grey.size)  # type: ignore[arg-type]
    left, top, right, bottom = (int(side) for side in box)
    levels = subtract_background(np.asarray(grey.crop(box)), is_dark, crop_background(background, grey, box))
    reduction = 1.0
    for _ in range(2):  # the second time at the size that the first one found
        labels, parts = find_parts(levels)
        if not parts:
            raise BlankDrawing
        height = digit_height(parts)
        scale = min(DIGIT_HEIGHT / height, MAX_ENLARGEMENT, (MAX_AREA / levels.size) ** 0.5)
        if 0.8 < scale < 1.25:
            break
        levels, reduction = resize(levels, scale), reduction / scale
    return InkLine(levels, labels, parts, height, (left + corner[0], top + corner[1]), reduction)


def crop_background(background: int | Image.Image, grey: Image.Image, box: tuple[float, ...]) -> Levels | int:
    if isinstance(background, int):
        return background
    across, down = background.width / grey.width, background.height / grey.height
    size = int(box[2]) - int(box[0]), int(box[3]) - int(box[1])
    part = box[0] * across, box[1] * down, box[2] * across, box[3] * down
    return np.asarray(background.resize(size, Image.Resampling.BILINEAR, box=part))


def resize(levels: Levels, scale: float) -> Levels:
    size = max(round(levels.shape[1] * scale), 1), max(round(levels.shape[0] * scale), 1)
    return np.asarray(
        cv2.resize(levels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC), np.uint8
    )


def find_parts(levels: Levels) -> tuple[NDArray[np.int32], list[Part]]:
    """Return the numbered components of the ink, and those that are no specks."""
    mask = levels > int(levels.max()) // 3
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    parts = []
    for label, (left, top, width, height, area) in enumerate(stats.tolist()):
        if label:
            parts.append(Part(label, (left, top, left + width, top + height), area))
    return np.asarray(labels, np.int32), parts


def digit_height(parts: list[Part]) -> float:
    """Return the typical height of the high components, in pixels."""
    heights = np.array([part.height for part in parts])
    return float(np.median(heights[heights >= MIN_SHARE * heights.max()]))
