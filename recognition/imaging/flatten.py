"""Transparency filled in and colours turned to grey, so that ink and paper stay apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognition.errors import BlankDrawing
from recognition.imaging.components import Span

SAMPLE_SIDE = 70  # samples a side that tell the level behind a transparent picture
CONTRAST = 24  # levels between paper and ink below which nothing counts as drawn
ROOM = 8  # pixels kept on every side of what is not transparent
AS_IT_IS = 200  # pixels a side up to which nothing is gained by cutting


def one_channel(image: Image.Image) -> Image.Image:
    """A picture of mode L, LA, RGB or RGBA as grey (mode L); what is transparent all around may be cut off.

    Raises BlankDrawing where nothing is visible, or only a page with nothing on it.
    """
    if image.mode in ("LA", "RGBA"):
        box = visible_box(image)
        share = filling(box, image.size)
        if share < 0.5 and max(image.size) > AS_IT_IS:  # else cutting costs more than it spares
            image = image.crop(box)
        alpha = image.getchannel("A")
        weakest, strongest = extremes(alpha)
        if weakest < 255:
            grey = image.convert("L")
            filled = Image.new("L", grey.size, backing(grey, alpha, strongest, blank=share > 0.8))
            filled.paste(grey, mask=alpha)
            return filled
    if image.mode in ("L", "LA"):
        return image.convert("L")
    grey = image.convert("L")
    low, high = extremes(grey)
    if high - low < 4 * CONTRAST:
        # Colours of like brightness, such as red on green: one band may show what their mixture hides.
        bands = image.split()[:3]
        spreads = [top - bottom for bottom, top in map(extremes, bands)]
        if max(spreads) > 2 * (high - low):
            return bands[spreads.index(max(spreads))]
    return grey


def visible_box(image: Image.Image) -> Span:
    """What is not transparent, with room on all sides to see the paper; raises BlankDrawing where there is nothing."""
    box = image.getbbox(alpha_only=True)
    if box is None:
        raise BlankDrawing
    left, top, right, bottom = box
    return max(left - ROOM, 0), max(top - ROOM, 0), min(right + ROOM, image.width), min(bottom + ROOM, image.height)


def filling(box: Span, size: tuple[int, int]) -> float:
    """The share of a picture that a box takes."""
    return (box[2] - box[0]) * (box[3] - box[1]) / (size[0] * size[1])


def extremes(band: Image.Image) -> tuple[int, int]:
    """The lowest and the highest level of a picture of one band (getextrema takes three times as long)."""
    levels = np.asarray(band)
    return int(levels.min()), int(levels.max())


def backing(grey: Image.Image, alpha: Image.Image, strongest: int, blank: bool) -> int:
    """The level to lay behind a grey picture with transparency: its own paper, or what its ink stands out from.

    `strongest`: the highest level of `alpha`. `blank`: an even page would be one with nothing on it, and no thick ink.
    Raises BlankDrawing for that, and where nothing is visible.
    """
    if strongest < CONTRAST:
        raise BlankDrawing
    # Every n-th pixel rather than an average: what is transparent has a colour too, which must not mix in.
    step = -(-max(grey.size) // SAMPLE_SIDE)
    visible = sampled(alpha, step) > strongest // 2
    if not visible.any():  # fewer and finer marks than the samples hit
        step, visible = 1, np.asarray(alpha) > strongest // 2
    levels = np.sort(sampled(grey, step)[visible])
    if is_page(visible):
        edge = len(levels) // 100
        if blank or int(levels[-1 - edge]) - int(levels[edge]) >= CONTRAST:
            if int(levels[-1]) - int(levels[0]) < CONTRAST:
                raise BlankDrawing
            return int(levels[len(levels) // 2])
    # Dark ink, or dark ink with white over what was rubbed out, goes on white; light ink on black.
    return 255 if levels[len(levels) // 20] < 128 else 0


def is_page(visible: NDArray[np.bool_]) -> bool:
    """Whether what is visible is a sheet, straight, turned or round, and no stroke: it fills its own outline."""
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    height, width = int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1
    area, shorter, longer = int(visible.sum()), min(height, width), max(height, width)
    if shorter <= 6:
        return False
    if area > 0.9 * height * width and shorter > 0.3 * longer:
        return True
    large = area > 0.45 * height * width and shorter > 0.5 * longer
    return large and area > 0.97 * max(reach(visible), reach(visible.T))


def reach(visible: NDArray[np.bool_]) -> int:
    """Pixels between the first and the last visible one of every row, both included."""
    rows = visible[visible.any(axis=1)]
    return int((rows.shape[1] - rows[:, ::-1].argmax(axis=1) - rows.argmax(axis=1)).sum())


def sampled(band: Image.Image, step: int) -> NDArray[np.uint8]:
    """Every `step`th pixel of a picture of one band, both ways."""
    size = -(-band.width // step), -(-band.height // step)
    return np.asarray(band if step == 1 else band.resize(size, Image.Resampling.NEAREST))
