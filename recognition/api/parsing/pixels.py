"""Read a digit that JSON carries as numbers: `{"pixels": [...]}`, in the shape of MNIST's pictures."""

from typing import Any

import numpy as np

from recognition.errors import InvalidPixels
from recognition.imaging import encode_png

SIDE = 28


def encode_pixels(pixels: Any) -> bytes:
    """Return 784 numbers, or 28 rows of 28, as a PNG. Raises InvalidPixels.

    The numbers are grey levels: from 0 to 255 if one of them is above 1, else from 0 to 1.
    """
    levels = pixels if isinstance(pixels, list) else []
    if len(levels) == SIDE and all(isinstance(row, list) and len(row) == SIDE for row in levels):
        levels = [level for row in levels for level in row]
    # `type`, because a bool is an int for isinstance; NaN is not between any numbers.
    if len(levels) != SIDE * SIDE or not all(type(level) in (int, float) and 0 <= level <= 255 for level in levels):
        raise InvalidPixels
    grid = np.array(levels, dtype=np.float32).reshape(SIDE, SIDE)
    return encode_png(grid / 255 if grid.max() > 1 else grid)
