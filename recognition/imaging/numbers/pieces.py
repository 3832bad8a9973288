"""Cut the ink of a line into pieces, none of which holds ink of two digits, from left to right."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from recognition.imaging.numbers.cuts import find_cuts
from recognition.imaging.numbers.ink import LOW, InkMap, Part
from recognition.imaging.polarity import IntBox, Levels, bounding_box, enclose

MIN_CUT_WIDTH = 0.35  # digit heights; a narrower component is one digit
NEAR = 0.12  # digit heights; a low part further from all digits is a stray
MIN_PIECE = 0.01  # squared digit heights of ink; less is left to the next piece
NO_CUT = -1.0
INKED = 85  # levels


@dataclass(frozen=True)
class Piece:
    """Ink that is not cut further; its box is (left, top, right, bottom)."""

    box: IntBox
    levels: Levels  # its ink alone, as large as the box
    labels: frozenset[int]  # the components that it has ink of
    part_width: int  # of the component from which it was cut, in pixels
    cut_left: float = NO_CUT  # ink that the cut at its left crosses, in stroke widths
    cut_right: float = NO_CUT


def find_pieces(ink: InkMap, parts: list[Part]) -> list[Piece]:
    """Return the pieces of a line's parts, sorted by their middles. A low part, as a 5's bar, joins the nearest."""
    height = ink.digit_height
    pieces = [piece for part in parts if part.height >= LOW * height for piece in cut(ink, part)]
    for part in (part for part in parts if part.height < LOW * height):
        distances = [distance(part.box, piece.box) for piece in pieces]
        nearest = int(np.argmin(distances))
        if distances[nearest] <= NEAR * height:
            pieces[nearest] = join(ink, pieces[nearest], part)
    return sorted(pieces, key=lambda piece: piece.box[0] + piece.box[2])


def distance(one: IntBox, other: IntBox) -> int:
    """Return the larger of the gaps between two boxes across and down, in pixels."""
    return max(other[0] - one[2], one[0] - other[2], other[1] - one[3], one[1] - other[3], 0)


def ink_of(ink: InkMap, part: Part) -> Levels:
    """Return the ink of one component, as large as its box."""
    left, top, right, bottom = part.box
    area = np.s_[top:bottom, left:right]
    own: Levels = ink.levels[area] * (ink.labels[area] == part.label)
    return own


def cut(ink: InkMap, part: Part) -> list[Piece]:
    """Cut a component wherever it may hold two digits."""
    levels, label = ink_of(ink, part), frozenset([part.label])
    if part.width < MIN_CUT_WIDTH * ink.digit_height:
        return [Piece(part.box, levels, label, part.width)]
    cuts = find_cuts(levels, ink.digit_height, ink.pen)
    rows, width = levels.shape
    columns = np.arange(width)
    borders = [*(cut.columns for cut in cuts), np.full(rows, width)]
    costs = [*(cut.cost for cut in cuts), NO_CUT]
    pieces: list[Piece] = []
    left, cut_left = np.zeros(rows, np.int64), NO_CUT
    for border, cut_right in zip(borders, costs, strict=True):
        right = np.maximum(border, left)  # cuts may cross
        inside = (columns >= left[:, None]) & (columns < right[:, None]) & (levels > INKED)
        if np.count_nonzero(inside) > MIN_PIECE * ink.digit_height**2:
            x, y, u, v = bounding_box(inside)
            own = levels[y:v, x:u] * ((columns[x:u] >= left[y:v, None]) & (columns[x:u] < right[y:v, None]))
            box = x + part.box[0], y + part.box[1], u + part.box[0], v + part.box[1]
            pieces.append(Piece(box, own, label, part.width, cut_left, cut_right))
            left, cut_left = right, cut_right
    return pieces or [Piece(part.box, levels, label, part.width)]


def join(ink: InkMap, piece: Piece, part: Part) -> Piece:
    """Return a piece together with a small component."""
    box = enclose(piece.box, part.box)
    levels = np.zeros((box[3] - box[1], box[2] - box[0]), np.uint8)
    for (left, top, right, bottom), own in ((piece.box, piece.levels), (part.box, ink_of(ink, part))):
        area = levels[top - box[1] : bottom - box[1], left - box[0] : right - box[0]]
        np.maximum(area, own, out=area)
    return replace(piece, box=box, levels=levels, labels=piece.labels | {part.label})
