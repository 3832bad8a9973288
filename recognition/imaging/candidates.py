"""The ways to tell a digit from what surrounds it. The network's confidence decides between them."""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from PIL import Image

from recognition.errors import BlankDrawing
from recognition.imaging.polarity import is_ink, to_grey
from recognition.imaging.preprocessing import Grid, locate_field, normalize
from recognition.imaging.scaling import Pixels
from recognition.imaging.segmentation import Ink, find_ink
from recognition.imaging.surroundings import Clearing, clear_surroundings

# Why a candidate may be wrong, although the network is sure of it.
Doubt = Literal["", "not_a_digit", "several_digits", "cut_off", "surroundings"]


SMALLEST = 40  # pixels; a smaller picture holds nothing but the digit
MIN_LEFT_OUT = 0.15  # ink of other things, as a share of the digit's
ALWAYS = 1.01  # more than any confidence
SAME_BOX = 0.6  # the least overlap of the boxes of the same ink
SURE = 0.9  # the confidence that is asked for where something was left out
VERY_SURE = 0.97  # or where the digit may be cut off

# A reading's confidence counts in full if it is the likeliest, by these parts otherwise.
PARTIAL = 0.85  # without a part that may be a stroke
UNCLEARED = 0.6  # the whole picture, where print, a frame or a desk was found


@dataclass(frozen=True)
class Candidate:
    """One reading of an image: what was taken for the digit, and how it looks in MNIST's geometry."""

    digit: Grid  # float32 (28, 28), ink 1.0 on 0.0
    ink: Ink
    weight: float = 1.0  # how much its confidence counts against the other candidates'
    doubt: Doubt = ""
    doubt_below: float = 0.0  # the confidence below which the doubt makes the answer uncertain

    def box(self) -> tuple[int, int, int, int]:
        """Return (left, top, width, height) of the digit in the image's pixels."""
        left, top, right, bottom = (side * self.ink.reduction for side in self.ink.box)
        x, y = self.ink.corner
        return round(left) + x, round(top) + y, round(right - left), round(bottom - top)

    def field(self) -> tuple[float, float, float]:
        """Return left, top and side, in the image's pixels, of the square that became `digit`."""
        left, top, side = (length * self.ink.reduction for length in locate_field(self.ink))
        x, y = self.ink.corner
        return left + x, top + y, side

    def mask(self, size: tuple[int, int]) -> Image.Image:
        """Return a mask (L) of an image of `size`: 255 where the digit's ink is."""
        scale = self.ink.reduction
        levels = self.ink.resample(max(self.box()[2:]))
        inked = Image.fromarray(is_ink(levels).astype(np.uint8) * 255)
        left, top, _, _ = self.ink.region(scale)
        x, y = self.ink.corner
        whole = Image.new("L", size)
        whole.paste(inked, (round(left * scale) + x, round(top * scale) + y))
        return whole


def find_candidates(image: Image.Image | Pixels) -> list[Candidate]:
    """Return the readings of an image, L, LA, RGB or RGBA, at least one. Raises BlankDrawing for no ink."""
    pixels = np.asarray(image)
    longest = max(pixels.shape[:2])
    grey, corner = to_grey(pixels)
    whole: Candidate | None = None
    with suppress(BlankDrawing):
        ink = find_ink(grey, corner, longest)
        whole = Candidate(normalize(ink), ink)
        whole = as_dot(whole) if ink.is_dot else whole
        if ink.is_alone or longest <= SMALLEST:
            return [whole]
    is_drawing = whole is not None and whole.ink.is_drawing
    candidates = []
    for clearing in clear_surroundings(grey, corner, is_drawing=is_drawing):
        if is_drawing and not clearing.was_cleared and clearing.left_out <= MIN_LEFT_OUT:
            continue  # the same as the whole drawing
        with suppress(BlankDrawing):
            one = from_clearing(clearing, is_drawing=is_drawing)
            # A photo's ink is what differs from its surroundings: of a large dot, the edge alone, which looks like a 0.
            is_same_dot = whole is not None and whole.ink.is_dot and overlap(one.box(), whole.box()) > SAME_BOX
            candidates.append(as_dot(one) if clearing.ink.is_dot or is_same_dot else one)
    if whole is not None:
        is_cleared = not is_drawing or any(one.weight == 1.0 for one in candidates)
        candidates.append(replace(whole, weight=UNCLEARED) if is_cleared and candidates else whole)
    if not candidates:
        raise BlankDrawing
    return candidates


def from_clearing(clearing: Clearing, *, is_drawing: bool) -> Candidate:
    """Return the candidate of a digit without its surroundings."""
    is_partial = is_drawing and not clearing.was_cleared
    doubt: Doubt = "surroundings"
    doubt_below, weight = (SURE if clearing.was_cleared else 0.0), clearing.weight
    if clearing.is_one_of_several:
        doubt, doubt_below = "several_digits", ALWAYS
    elif clearing.is_cut_off:
        doubt, doubt_below = "cut_off", VERY_SURE
    elif is_partial:
        doubt_below = ALWAYS
    if is_partial:
        weight = UNCLEARED if clearing.is_cut_off else PARTIAL
    return Candidate(normalize(clearing.ink), clearing.ink, weight, doubt, doubt_below)


def as_dot(candidate: Candidate) -> Candidate:
    """Return the candidate as one that is no digit, whatever the network says."""
    return replace(candidate, doubt="not_a_digit", doubt_below=ALWAYS)


def overlap(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> float:
    """Return the area that two boxes (left, top, width, height) share, as a fraction of what they cover together."""
    across, down = (max(min(one[k] + one[k + 2], other[k] + other[k + 2]) - max(one[k], other[k]), 0) for k in (0, 1))
    return across * down / max(one[2] * one[3] + other[2] * other[3] - across * down, 1)


def preprocess(image: Image.Image | Pixels) -> Grid:
    """Return the digit in an image that holds nothing else as float32 (28, 28), ink 1.0 on 0.0. Raises BlankDrawing."""
    pixels = np.asarray(image)
    grey, corner = to_grey(pixels)
    return normalize(find_ink(grey, corner, max(pixels.shape[:2])))
