"""Where the ink is in a picture, whatever it was drawn with and on.

Ink and paper are told apart by the border of the picture: what lies along it is paper. That settles polarity
(chalk or pencil), colour and transparency; a photo's uneven light is followed by a coarse map of the paper instead
of one level. Levels are 0..255, boxes are (left, top, right, bottom) in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from recognition.errors import BlankDrawing
from recognition.imaging.components import Span, main_part
from recognition.imaging.flatten import CONTRAST, one_channel

LOOK_SIDE = 200  # the picture is looked over at no more than this many pixels a side
INKED = 0.25  # the fraction of the ink's contrast from which a pixel counts as inked
SPECKS = 3  # this many pixels may be of any level without being taken for ink
SHEET = 0.3  # the least share of a picture, and FULL of its own box, that a sheet of paper on a desk takes
FULL = 0.8  # more than an ellipse: a digit whose loops are all but closed is no sheet
UNEVEN = 8  # levels between the border's 20th and 80th percentile from which the light is uneven

Box = tuple[float, float, float, float]
Levels = NDArray[np.uint8]


@dataclass(frozen=True)
class Ink:
    """The ink of one picture: where it is, and how to take it out at any scale."""

    grey: Image.Image  # the picture, mode L
    dark: bool  # ink darker than the paper
    paper: int | Image.Image  # the paper's level or, in uneven light, a coarse map of it
    box: Box
    kept: Image.Image | None  # mask of the parts that count, at any scale, where others do not

    def sample(self, longer_side: float) -> Levels:
        """The ink inside the box, scaled so that the box's longer side is about `longer_side`, with a margin of 4.

        Returns an array of levels, 0 where there is paper.
        """
        left, top, right, bottom = self.box
        scale = longer_side / max(right - left, bottom - top)
        margin = 4 / scale
        width, height = self.grey.size
        box = (max(left - margin, 0), max(top - margin, 0), min(right + margin, width), min(bottom + margin, height))
        size = (max(round((box[2] - box[0]) * scale), 1), max(round((box[3] - box[1]) * scale), 1))
        patch = self.grey.resize(size, Image.Resampling.BILINEAR, box=box)
        ink = lift(np.asarray(patch), self.dark, self._over(self.paper, box, size, Image.Resampling.BILINEAR))
        if self.kept is not None:
            ink = np.minimum(ink, self._over(self.kept, box, size, Image.Resampling.NEAREST))
        return ink

    def _over(self, coarse: int | Image.Image, box: Box, size: tuple[int, int], how: Image.Resampling) -> Levels | int:
        """What a coarse map of the whole picture says over `box`, at `size`."""
        if isinstance(coarse, int):
            return coarse
        across, down = coarse.width / self.grey.width, coarse.height / self.grey.height
        part = (box[0] * across, box[1] * down, box[2] * across, box[3] * down)
        return np.asarray(coarse.resize(size, how, box=part))


def find_ink(image: Image.Image) -> Ink:
    """Find the ink in a picture of mode L, LA, RGB or RGBA; raises BlankDrawing if there is none."""
    grey = one_channel(image)
    while True:
        small, factor = shrink(grey)
        inked, dark, paper = find_inked(small)
        box, kept = main_part(inked)
        if is_sheet(inked, box):
            try:
                return find_ink(grey.crop(inside(box, factor)))
            except BlankDrawing:
                pass  # a blot, with nothing on it
        if factor == 1 or max(box[2] - box[0], box[3] - box[1]) >= LOOK_SIDE // 5:
            break
        # A small digit in a large picture: look again, closer.
        grey = grey.crop(around(box, factor, grey.size))
    left, top, right, bottom = (side * factor for side in box)
    if max(right - left, bottom - top) < least_size(image.size):
        raise BlankDrawing
    return Ink(grey, dark, paper, (left, top, right, bottom), kept)


def is_sheet(inked: NDArray[np.bool_], box: Span) -> bool:
    """Whether what stands out is the paper itself, on a desk or in a frame, with the ink as holes in it."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    if width * height < SHEET * inked.size or min(width, height) < max(width, height) / 2:
        return False
    return int(np.count_nonzero(inked[top:bottom, left:right])) > FULL * width * height


def inside(box: Span, factor: int) -> tuple[int, int, int, int]:
    """A sheet's box in the pixels of the whole picture, without its edge."""
    edge = max((box[2] - box[0]) * 3 // 100, 2)
    left, top, right, bottom = box
    return (left + edge) * factor, (top + edge) * factor, (right - edge) * factor, (bottom - edge) * factor


def least_size(size: tuple[int, int]) -> float:
    """The longer side, in pixels, below which a mark is a speck and not a digit."""
    return min(max(0.02 * max(size), 3), 16)


def around(box: Span, factor: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The box of a shrunk picture in the pixels of the whole one, with room on all sides to see the paper."""
    room = max(box[2] - box[0], box[3] - box[1]) // 2 + 4
    left, top = max(box[0] - room, 0) * factor, max(box[1] - room, 0) * factor
    return left, top, min((box[2] + room) * factor, size[0]), min((box[3] + room) * factor, size[1])


def shrink(image: Image.Image) -> tuple[Image.Image, int]:
    """The picture at no more than LOOK_SIDE pixels a side, and by what whole factor it was reduced."""
    factor = -(-max(image.size) // LOOK_SIDE)
    return (image.reduce(factor) if factor > 1 else image), factor


def find_paper(small: Image.Image) -> tuple[bool, int, int]:
    """Whether the ink is darker than the paper, the paper's level, and how far that varies along the border.

    Raises BlankDrawing where the levels differ too little.
    """
    levels = np.asarray(small)
    darkest, brightest = spread(levels)
    if brightest - darkest < CONTRAST:
        raise BlankDrawing
    border = np.sort(np.concatenate((levels[0], levels[-1], levels[1:-1, 0], levels[1:-1, -1])))
    middle = (darkest + brightest) // 2
    split = int(np.searchsorted(border, middle, side="right"))
    bright = 1 - split / len(border)
    if 0.35 < bright < 0.65:
        # The ink runs along much of the border, as in a tight crop: the larger area is the paper.
        bright = float((levels > middle).mean())
    ours = border[split:] if bright >= 0.5 else border[:split]
    if not len(ours):
        ours = border
    paper = int(ours[len(ours) // 2])
    varies = int(border[len(border) * 4 // 5]) - int(border[len(border) // 5])
    return paper - darkest >= brightest - paper, paper, varies


def spread(levels: Levels) -> tuple[int, int]:
    """The darkest and the brightest level that SPECKS pixels reach."""
    lowest, highest = levels.min(), levels.max()
    if min(np.count_nonzero(levels == lowest), np.count_nonzero(levels == highest)) >= SPECKS:
        return int(lowest), int(highest)
    ranked = np.partition(levels, (SPECKS - 1, levels.size - SPECKS), axis=None)
    return int(ranked[SPECKS - 1]), int(ranked[-SPECKS])


def find_inked(small: Image.Image) -> tuple[NDArray[np.bool_], bool, int | Image.Image]:
    """Which pixels of a small picture are inked; whether the ink is dark; the paper (see `Ink.paper`).

    Raises BlankDrawing where the ink does not stand out from the paper, or from the noise on it.
    """
    dark, level, varies = find_paper(small)
    uneven = varies >= UNEVEN and min(small.size) > LOOK_SIDE // 4
    paper = paper_map(small, dark) if uneven else level
    ink = lift(np.asarray(small), dark, np.asarray(paper) if uneven else level)
    top = np.partition(ink, -SPECKS, axis=None)[-SPECKS] if uneven else ink.max()
    contrast = float(top)
    if contrast < CONTRAST:
        raise BlankDrawing
    threshold = INKED * contrast
    if uneven:
        threshold = max(0.4 * contrast, 2 * float(ink.std()))
    return ink >= threshold, dark, paper


def paper_map(small: Image.Image, dark: bool) -> Image.Image:
    """The light on the paper: the picture with all that is narrower than a quarter of it taken out, and smoothed."""
    scale = 48 / max(small.size)
    size = (max(round(small.width * scale), 1), max(round(small.height * scale), 1))
    coarse = small.resize(size, Image.Resampling.BOX)
    grow, back = ImageFilter.MaxFilter(13), ImageFilter.MinFilter(13)
    bare = coarse.filter(grow).filter(back) if dark else coarse.filter(back).filter(grow)
    return bare.filter(ImageFilter.GaussianBlur(2)).resize(small.size, Image.Resampling.BICUBIC)


def lift(levels: Levels, dark: bool, paper: int | Levels) -> Levels:
    """The ink alone: bright where inked, 0 where there is paper."""
    level: Levels = np.asarray(paper, dtype=np.uint8)
    return level - np.minimum(levels, level) if dark else np.maximum(levels, level) - level
