"""Make grey pictures smaller or larger. Levels are 0..255, boxes are (left, top, right, bottom) in pixels."""

from math import ceil, floor

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Levels = NDArray[np.uint8]
Pixels = NDArray[np.uint8]  # [height, width] of grey, or [height, width, bands] of grey and alpha, RGB or RGBA
Box = tuple[float, float, float, float]


def reduce(levels: Levels, factor: int) -> Levels:
    """Return the mean level of every `factor` by `factor` pixels. The last row and column are repeated to fill up."""
    if factor > 2 and factor % 2 == 0:  # by two at a time: OpenCV has a faster way for that
        return reduce(reduce(levels, 2), factor // 2)
    height, width = levels.shape
    if height % factor or width % factor:
        filled = cv2.copyMakeBorder(levels, 0, -height % factor, 0, -width % factor, cv2.BORDER_REPLICATE)
        levels = np.asarray(filled, np.uint8)
    size = levels.shape[1] // factor, levels.shape[0] // factor
    return np.asarray(cv2.resize(levels, size, interpolation=cv2.INTER_AREA), np.uint8)


def resize(
    levels: Levels, size: tuple[int, int], box: Box, resampling: Image.Resampling = Image.Resampling.BILINEAR
) -> Levels:
    """Return a box of a picture scaled to (width, height), as Pillow does: OpenCV's filters let thin strokes break."""
    left, top, right, bottom = box
    across, down = (ceil(max(span, 1.0)) + 1 for span in ((right - left) / size[0], (bottom - top) / size[1]))
    x, y = max(floor(left) - across, 0), max(floor(top) - down, 0)  # the filter reaches beyond the box
    part = np.ascontiguousarray(levels[y : ceil(bottom) + down, x : ceil(right) + across])
    inside = left - x, top - y, right - x, bottom - y
    return np.asarray(Image.fromarray(part).resize(size, resampling, box=inside))
