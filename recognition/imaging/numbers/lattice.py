"""The segments of a line of digits, as the edges of a lattice.

The line is cut into pieces, in more places than it has digits. A segment is one piece or several neighbours, and every
path from node 0 to the last node is a reading of the line (over-segmentation: LeCun et al.,
"Gradient-based learning applied to document recognition", 1998, section IV).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate

import cv2
import numpy as np
from PIL import Image

from recognition.errors import BlankDrawing, TooManyDigits
from recognition.imaging.candidates import Candidate, Doubt
from recognition.imaging.dots import is_dot
from recognition.imaging.numbers.ink import MIN_INK_LEVEL, InkMap
from recognition.imaging.numbers.pieces import NO_CUT, Piece, merge_levels
from recognition.imaging.paper import disc
from recognition.imaging.polarity import IntBox, bounding_box, enclose, is_ink
from recognition.imaging.preprocessing import Grid, normalize
from recognition.imaging.scaling import Levels
from recognition.imaging.segmentation import Ink

MAX_WIDTH = 2.2  # digit heights, of several pieces: a 2 that lies, a 5 with a long bar
MAX_CUT_WIDTH = 1.4  # digit heights, of several pieces that a cut bounds
MAX_PIECES = 8  # of a segment; bounds the time of a request
MIN_CUT_HEIGHT = 0.5  # digit heights, of a segment that a cut bounds
MAX_BOTH_CUTS_COST = 6.0  # stroke widths of ink that both cuts of a segment may cross
MAX_SEGMENTS = 600  # bounds the time of a request; 20 touching digits have about 400
MAX_GAP = 0.15  # digit heights between the pieces of a segment
SHARED_WIDTH = 1.1  # stroke widths beyond a cut that two digits may share
MIN_SHARED_COST = 0.5  # stroke widths; a cut through less ink divides no stroke that two digits share


@dataclass(frozen=True)
class Shape:
    """The measures of a segment by which it is scored besides its picture. Lengths are in digit heights."""

    width: float
    height: float
    rise: float  # how far its middle lies above the line's middle
    cut_left: float  # ink that the cut at its left crosses, in stroke widths; NO_CUT if it ends by itself
    cut_right: float  # the same at its right
    part_width: float  # width of the narrowest component that it was cut from
    gap: float  # width of the widest gap inside
    parts: int  # number of components that its ink is from
    pieces: int  # number of pieces
    is_extended: bool  # it also holds ink beyond its cuts, which its neighbour holds too

    def ends_by_itself(self) -> bool:
        """Whether no cut bounds it."""
        return self.cut_left == NO_CUT and self.cut_right == NO_CUT


@dataclass(frozen=True)
class Segment:
    """Ink between two nodes of the lattice that may be one digit."""

    digit: Grid  # float32 (28, 28), ink 1.0 on 0.0
    place: tuple[int, int, int, int]  # left, top, width and height in the image's pixels
    ink: Levels  # of the size of the place or coarser; 255 where the segment's ink is
    first: int  # the node at its left
    last: int  # the node at its right
    shape: Shape

    def box(self) -> tuple[int, int, int, int]:
        """Return (left, top, width, height) of the segment in the image's pixels."""
        return self.place

    def is_dot(self) -> bool:
        """Whether it has no shape."""
        return is_dot(is_ink(self.ink))

    def mask(self, size: tuple[int, int]) -> Image.Image:
        """Return a mask (L) of an image of `size`: 255 where the segment's ink is."""
        left, top, width, height = self.place
        levels = np.asarray(Image.fromarray(self.ink).resize((width, height)))
        inked = Image.fromarray(is_ink(levels).astype(np.uint8) * 255)
        whole = Image.new("L", size)
        whole.paste(inked, (left, top))
        return whole


@dataclass(frozen=True)
class NumberDrawing:
    """A picture of a line of digits that is ready for the network."""

    segments: list[Segment]
    nodes: int  # nodes of the lattice, numbered from left to right
    candidates: list[Candidate]  # readings of the picture as one digit; empty if it cannot be one
    is_surrounded: bool  # the picture shows more than digits: a photo, print
    doubt: Doubt = ""  # why the line may be wrong, although the network is sure of it

    def grids(self) -> list[Grid]:
        """Return what the network is to score: the candidates, then the segments."""
        return [candidate.digit for candidate in self.candidates] + [segment.digit for segment in self.segments]


@dataclass(frozen=True)
class Span:
    """Neighbouring pieces between two nodes; the box is (left, top, right, bottom)."""

    pieces: list[Piece]
    nodes: tuple[int, int]
    box: IntBox
    shape: Shape


def find_segments(ink: InkMap, pieces: list[Piece], middle: tuple[float, float]) -> list[Segment]:
    """Return every group of neighbouring pieces that may be one digit. Raises TooManyDigits.

    Args:
        middle: slope and offset of the middle line of the digits, in the pixels of `ink`.
    """
    spans = list(find_spans(ink, pieces, middle))
    likely = [span for span in spans if may_be_digit(span.shape)]
    if is_connected([span.nodes for span in likely], len(pieces)):
        spans = likely
    if len(spans) > MAX_SEGMENTS:
        raise TooManyDigits
    reach = SHARED_WIDTH * ink.pen
    room = MAX_SEGMENTS - len(spans)
    segments = []
    for span in spans:
        levels = merge_levels([(piece.box, piece.levels) for piece in span.pieces], span.box)
        segments.append(segment(ink, levels, span.box, span.nodes, span.shape))
        if room and max(span.shape.cut_left, span.shape.cut_right) > MIN_SHARED_COST:
            levels, box = extend(ink, span, levels, reach)
            shape = replace(describe(ink, span.pieces, box, middle), is_extended=True)
            segments.append(segment(ink, levels, box, span.nodes, shape))
            room -= 1
    return segments


def find_spans(ink: InkMap, pieces: list[Piece], middle: tuple[float, float]) -> Iterator[Span]:
    """Yield the groups of neighbouring pieces that are not too wide for one digit."""
    for first in range(len(pieces)):
        box = pieces[first].box
        for last in range(first, min(first + MAX_PIECES, len(pieces))):
            group = pieces[first : last + 1]
            box = enclose(box, pieces[last].box)
            shape = describe(ink, group, box, middle)
            if last > first and shape.gap > MAX_GAP:
                break
            is_whole = shape.ends_by_itself() and shape.parts == 1  # of any width: a dash that begins a drawing
            is_wide = shape.width > (MAX_WIDTH if shape.ends_by_itself() else MAX_CUT_WIDTH)
            if last == first or is_whole or not is_wide:
                yield Span(group, (first, last + 1), box, shape)


def may_be_digit(shape: Shape) -> bool:
    """Whether a digit may have such a shape. A segment without cuts always may."""
    if shape.ends_by_itself():
        return True
    cost = max(shape.cut_left, 0) + max(shape.cut_right, 0)
    return shape.height >= MIN_CUT_HEIGHT and cost <= MAX_BOTH_CUTS_COST


def is_connected(spans: list[tuple[int, int]], last: int) -> bool:
    """Whether a path leads from node 0 to the last node."""
    reached = {0}
    for first, end in sorted(spans):
        if first in reached:
            reached.add(end)
    return last in reached


def describe(ink: InkMap, group: list[Piece], box: IntBox, middle: tuple[float, float]) -> Shape:
    """Return the shape of neighbouring pieces. `middle` is slope and offset of the line's middle, in pixels."""
    left, top, right, bottom = box
    slope, offset = middle
    ends = accumulate((piece.box[2] for piece in group), max)
    gap = max([0, *(after.box[0] - end for after, end in zip(group[1:], ends, strict=False))])
    return Shape(
        width=(right - left) / ink.digit_height,
        height=(bottom - top) / ink.digit_height,
        rise=(slope * (left + right) / 2 + offset - (top + bottom) / 2) / ink.digit_height,
        cut_left=group[0].cut_left,
        cut_right=group[-1].cut_right,
        part_width=min(piece.part_width for piece in group) / ink.digit_height,
        gap=gap / ink.digit_height,
        parts=len(set().union(*(piece.labels for piece in group))),
        pieces=len(group),
        is_extended=False,
    )


def segment(ink: InkMap, levels: Levels, box: IntBox, nodes: tuple[int, int], shape: Shape) -> Segment:
    """Return a segment with its ink normalized to MNIST's geometry. `box` and `levels` are of the working size."""
    framed = np.asarray(cv2.copyMakeBorder(levels, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0), np.uint8)
    inside = 1, 1, 1 + levels.shape[1], 1 + levels.shape[0]
    own = Ink(framed, False, 0, inside, None)
    try:
        digit = normalize(own, ink.pen)
    except BlankDrawing:  # it vanished: it is much thinner than the other strokes
        digit = normalize(own)
    return Segment(digit, ink.place(box), levels, *nodes, shape)


def extend(ink: InkMap, span: Span, levels: Levels, reach: float) -> tuple[Levels, IntBox]:
    """Return a span with the ink within `reach` pixels of it on the other side of its cuts.

    Where a digit is written over the edge of its neighbour, both need the stroke that they share.
    """
    margin, box = int(reach) + 1, span.box
    before = margin if span.shape.cut_left > NO_CUT else 0
    after = margin if span.shape.cut_right > NO_CUT else 0
    height, width = ink.levels.shape
    left, top = max(box[0] - before, 0), max(box[1] - margin, 0)
    right, bottom = min(box[2] + after, width), min(box[3] + margin, height)
    own = np.zeros((bottom - top, right - left), np.uint8)
    own[box[1] - top : box[3] - top, box[0] - left : box[2] - left] = levels
    near = cv2.dilate((own > MIN_INK_LEVEL).astype(np.uint8), disc(2 * reach))
    labels = sorted(set().union(*(piece.labels for piece in span.pieces)))
    allowed = (near > 0) & np.isin(ink.labels[top:bottom, left:right], labels)
    extended = np.maximum(own, ink.levels[top:bottom, left:right] * allowed)
    x, y, u, v = bounding_box(extended > MIN_INK_LEVEL)
    return extended[y:v, x:u], (x + left, y + top, u + left, v + top)
