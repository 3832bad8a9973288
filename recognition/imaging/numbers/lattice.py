"""The segments of a line of digits, as the edges of a lattice.

The line is cut into pieces, in more places than it has digits. A segment is one piece or several neighbours, and every
way from node 0 to the last node along segments is a reading of the line (over-segmentation: LeCun et al.,
"Gradient-based learning applied to document recognition", 1998, section IV).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from PIL import Image

from recognition.imaging.candidates import Candidate, Doubt
from recognition.imaging.numbers.ink import InkMap
from recognition.imaging.numbers.pieces import NO_CUT, Piece
from recognition.imaging.paper import disc
from recognition.imaging.polarity import IntBox, Levels, bounding_box, enclose
from recognition.imaging.preprocessing import Grid, normalize
from recognition.imaging.segmentation import Ink

MAX_WIDTH = 1.5  # of several pieces, in digit heights
MAX_PIECES = 8
MAX_GAP = 0.15  # between the pieces of a segment, in digit heights
SHARED = 1.1  # stroke widths on the other side of a cut that two digits may share
MIN_SHARED_COST = 0.5  # stroke widths; a cut through less ink divides no stroke that two digits share
INKED = 85  # levels


@dataclass(frozen=True)
class Shape:
    """What tells, besides its picture, whether a segment is one digit. Lengths are in digit heights."""

    width: float
    height: float
    rise: float  # of its middle above the middle of the line
    cut_left: float  # ink that the cut at its left crosses, in stroke widths; NO_CUT if it ends by itself
    cut_right: float
    gap: float  # the widest gap inside
    parts: int  # connected components that it has ink of
    pieces: int
    is_extended: bool  # holds the ink along its cuts that its neighbour holds too


@dataclass(frozen=True)
class Segment:
    """Ink between two nodes of the lattice that may be one digit."""

    digit: Grid  # float32 (28, 28), ink 1.0 on 0.0
    place: tuple[int, int, int, int]  # left, top, width and height in the image's pixels
    ink: Image.Image  # mode L, of the size of the place or coarser; 255 where the segment's ink is
    first: int  # the node at its left
    last: int  # the node at its right
    shape: Shape

    def box(self) -> tuple[int, int, int, int]:
        """Return (left, top, width, height) of the segment in the image's pixels."""
        return self.place

    def mask(self, size: tuple[int, int]) -> Image.Image:
        """Return a mask (L) of an image of `size`: 255 where the segment's ink is."""
        left, top, width, height = self.place
        inked = self.ink.resize((width, height)).point([0] * INKED + [255] * (256 - INKED))
        whole = Image.new("L", size)
        whole.paste(inked, (left, top))
        return whole


@dataclass(frozen=True)
class NumberDrawing:
    """A picture of a line of digits that is ready for the network."""

    segments: list[Segment]
    nodes: int  # nodes of the lattice, numbered from left to right
    candidates: list[Candidate]  # the readings of the picture as one digit; empty if it is certainly not one
    doubt: Doubt = ""  # why the line may be wrong, although the network is sure of it

    def grids(self) -> list[Grid]:
        """Return what the network is to score: the candidates, then the segments."""
        return [candidate.digit for candidate in self.candidates] + [segment.digit for segment in self.segments]


def find_segments(ink: InkMap, pieces: list[Piece], middle: tuple[float, float]) -> Iterator[Segment]:
    """Yield every group of neighbouring pieces that may be one digit.

    Args:
        middle: slope and offset of the middle line of the digits, in the pixels of `ink`.
    """
    shared = SHARED * ink.stroke_width()
    for first in range(len(pieces)):
        box, gap = pieces[first].box, 0.0
        for last in range(first, min(first + MAX_PIECES, len(pieces))):
            gap = max(gap, pieces[last].box[0] - box[2])
            box = enclose(box, pieces[last].box)
            is_wide = last > first and box[2] - box[0] > MAX_WIDTH * ink.digit_height
            if gap > MAX_GAP * ink.digit_height or is_wide:
                break
            group = pieces[first : last + 1]
            shape = describe(ink, group, box, gap, middle)
            levels = merge(group, box)
            yield segment(ink, levels, box, (first, last + 1), shape)
            if max(shape.cut_left, shape.cut_right) > MIN_SHARED_COST:
                levels, wider = extend(ink, group, levels, box, shared)
                resized = describe(ink, group, wider, gap, middle)
                yield segment(ink, levels, wider, (first, last + 1), replace(resized, is_extended=True))


def describe(ink: InkMap, group: list[Piece], box: IntBox, gap: float, middle: tuple[float, float]) -> Shape:
    left, top, right, bottom = box
    slope, offset = middle
    return Shape(
        width=(right - left) / ink.digit_height,
        height=(bottom - top) / ink.digit_height,
        rise=(slope * (left + right) / 2 + offset - (top + bottom) / 2) / ink.digit_height,
        cut_left=group[0].cut_left,
        cut_right=group[-1].cut_right,
        gap=gap / ink.digit_height,
        parts=len(set().union(*(piece.labels for piece in group))),
        pieces=len(group),
        is_extended=False,
    )


def segment(ink: InkMap, levels: Levels, box: IntBox, nodes: tuple[int, int], shape: Shape) -> Segment:
    framed = Image.fromarray(cv2.copyMakeBorder(levels, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0))
    inside = 1, 1, 1 + levels.shape[1], 1 + levels.shape[0]
    digit = normalize(Ink(framed, False, 0, inside, None))
    return Segment(digit, ink.place(box), Image.fromarray(levels), *nodes, shape)


def merge(group: list[Piece], box: IntBox) -> Levels:
    """Return the ink of several pieces, as large as their common box."""
    if len(group) == 1:
        return group[0].levels
    levels = np.zeros((box[3] - box[1], box[2] - box[0]), np.uint8)
    for piece in group:
        left, top, right, bottom = piece.box
        area = levels[top - box[1] : bottom - box[1], left - box[0] : right - box[0]]
        np.maximum(area, piece.levels, out=area)
    return levels


def extend(ink: InkMap, group: list[Piece], levels: Levels, box: IntBox, reach: float) -> tuple[Levels, IntBox]:
    """Return a segment with the ink within `reach` pixels of it on the other side of its cuts.

    Where a digit is written over the edge of its neighbour, both need the stroke that they share.
    """
    margin = int(reach) + 1
    before = margin if group[0].cut_left > NO_CUT else 0
    after = margin if group[-1].cut_right > NO_CUT else 0
    height, width = ink.levels.shape
    left, top = max(box[0] - before, 0), max(box[1] - margin, 0)
    right, bottom = min(box[2] + after, width), min(box[3] + margin, height)
    own = np.zeros((bottom - top, right - left), np.uint8)
    own[box[1] - top : box[3] - top, box[0] - left : box[2] - left] = levels
    near = cv2.dilate((own > INKED).astype(np.uint8), disc(2 * reach))
    labels = sorted(set().union(*(piece.labels for piece in group)))
    allowed = (near > 0) & np.isin(ink.labels[top:bottom, left:right], labels)
    extended = np.maximum(own, ink.levels[top:bottom, left:right] * allowed)
    x, y, u, v = bounding_box(extended > INKED)
    return extended[y:v, x:u], (x + left, y + top, u + left, v + top)
