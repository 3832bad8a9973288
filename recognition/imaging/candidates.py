"""The ways to tell a digit from what surrounds it. The network's confidence decides between them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from recognition.imaging.preprocessing import Grid, normalize
from recognition.imaging.segmentation import Ink, find_ink

# Why a candidate may be wrong, although the network is sure of it.
Doubt = Literal["", "several_digits", "cut_off", "surroundings"]


@dataclass(frozen=True)
class Candidate:
    """One reading of an image: what was taken for the digit, and how it looks in MNIST's geometry."""

    digit: Grid  # float32 (28, 28), ink 1.0 on 0.0
    ink: Ink
    weight: float = 1.0  # how much its confidence counts against the other candidates'
    doubt: Doubt = ""

    def box(self) -> tuple[int, int, int, int]:
        """Return (left, top, width, height) of the digit in the image's pixels."""
        left, top, right, bottom = (side * self.ink.reduction for side in self.ink.box)
        x, y = self.ink.corner
        return round(left) + x, round(top) + y, round(right - left), round(bottom - top)

    def mask(self, size: tuple[int, int]) -> Image.Image:
        """Return a mask (L) of an image of `size`: 255 where the digit's ink is."""
        scale = self.ink.reduction
        levels = self.ink.resample(max(self.box()[2:]))
        inked = Image.fromarray((levels > int(levels.max()) // 3).astype(np.uint8) * 255)
        left, top, _, _ = self.ink.region(scale)
        x, y = self.ink.corner
        whole = Image.new("L", size)
        whole.paste(inked, (round(left * scale) + x, round(top * scale) + y))
        return whole


def find_candidates(image: Image.Image) -> list[Candidate]:
    """Return the readings of an image of mode L, LA, RGB or RGBA, the likeliest first; at least one.

    Raises BlankDrawing if the image has no ink.
    """
    ink = find_ink(image)
    return [Candidate(normalize(ink), ink)]


def preprocess(image: Image.Image) -> Grid:
    """Return the likeliest digit in an image as float32 (28, 28), ink 1.0 on 0.0. Raises BlankDrawing."""
    return find_candidates(image)[0].digit
