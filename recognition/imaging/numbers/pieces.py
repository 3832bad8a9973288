"""Cut the ink of a line into pieces small enough that each belongs to one digit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from recognition.imaging.numbers.cuts import find_cuts
from recognition.imaging.numbers.ink import MIN_INK_LEVEL, InkMap, Part
from recognition.imaging.polarity import IntBox, bounding_box, enclose
from recognition.imaging.scaling import Levels

MIN_CUT_WIDTH = 0.35  # digit heights; a narrower component is one digit
MAX_DISTANCE = 0.12  # digit heights; a low component further from every digit belongs to none
MIN_PIECE_AREA = 0.01  # squared digit heights of ink; less is left to the next piece
NO_CUT = -1.0  # instead of a cut's cost, where ink ends by itself


@dataclass(frozen=True)
class Piece:
    """Ink that is not cut further; its box is (left, top, right, bottom)."""

    box: IntBox
    levels: Levels  # its ink alone, as large as the box
    labels: frozenset[int]  # the components that its ink is from
    part_width: int  # width in pixels of the component that it was cut from
    cut_left: float = NO_CUT  # ink that the cut at its left crosses, in stroke widths
    cut_right: float = NO_CUT  # the same at its right


def find_pieces(ink: InkMap, parts: list[Part]) -> list[Piece]:
    """Return the pieces of a line, sorted by their middles. A low component such as a 5's bar joins the nearest."""
    pieces = [piece for part in parts if not ink.is_low(part) for piece in cut(ink, part)]
    if not pieces:
        return []
    for part in (part for part in parts if ink.is_low(part)):
        distances = [distance(part.box, piece.box) for piece in pieces]
        nearest = int(np.argmin(distances))
        if distances[nearest] <= MAX_DISTANCE * ink.digit_height:
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
        inside = (columns >= left[:, None]) & (columns < right[:, None]) & (levels > MIN_INK_LEVEL)
        if np.count_nonzero(inside) > MIN_PIECE_AREA * ink.digit_height**2:
            x, y, u, v = bounding_box(inside)
            own = levels[y:v, x:u] * ((columns[x:u] >= left[y:v, None]) & (columns[x:u] < right[y:v, None]))
            box = x + part.box[0], y + part.box[1], u + part.box[0], v + part.box[1]
            pieces.append(Piece(box, own, label, part.width, cut_left, cut_right))
            left, cut_left = right, cut_right
    return pieces or [Piece(part.box, levels, label, part.width)]


def join(ink: InkMap, piece: Piece, part: Part) -> Piece:
    """Return a piece together with a small component."""
    box = enclose(piece.box, part.box)
    levels = merge_levels([(piece.box, piece.levels), (part.box, ink_of(ink, part))], box)
    return replace(piece, box=box, levels=levels, labels=piece.labels | {part.label})


def merge_levels(inks: Iterable[tuple[IntBox, Levels]], box: IntBox) -> Levels:
    """Return the ink of several boxes, as large as the box around them."""
    levels = np.zeros((box[3] - box[1], box[2] - box[0]), np.uint8)
    for (left, top, right, bottom), own in inks:
        area = levels[top - box[1] : bottom - box[1], left - box[0] : right - box[0]]
        np.maximum(area, own, out=area)
    return levels
