"""Find the line of digits in a picture, and the segments that may be one digit each."""

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from recognition.errors import MAX_DIGITS, BlankDrawing, TooManyDigits
from recognition.imaging.candidates import find_candidates
from recognition.imaging.numbers.cuts import find_cuts
from recognition.imaging.numbers.ink import InkLine, Part, find_ink_line
from recognition.imaging.numbers.lattice import NumberDrawing, Segment
from recognition.imaging.polarity import IntBox, Levels, bounding_box, enclose, to_grey
from recognition.imaging.preprocessing import normalize
from recognition.imaging.segmentation import Ink

MIN_CUT_WIDTH = 0.35  # digit heights; a narrower component is one digit
MAX_WIDTH = 1.5  # of a segment, in digit heights
MAX_PIECES = 9
MAX_GAP = 0.15


@dataclass(frozen=True)
class Piece:
    """The least part of the ink that is not cut further."""

    box: IntBox
    levels: Levels  # the ink alone, as large as the box
    part: int  # the component's label
    cost_left: float = -1.0
    cost_right: float = -1.0


def find_number(image: Image.Image) -> NumberDrawing:
    """Return the segments of an image of mode L, LA, RGB or RGBA. Raises BlankDrawing and TooManyDigits."""
    grey, corner = to_grey(image)
    line = find_ink_line(grey, corner)
    h = line.digit_height
    parts = [p for p in line.parts if max(p.height, p.width) > 0.12 * h]
    if sum(p.height > 0.5 * h for p in parts) > MAX_DIGITS or sum(p.width for p in parts) > 40 * h:
        raise TooManyDigits
    stroke = stroke_width(line)
    pieces = [piece for part in parts for piece in cut(line, part, stroke)]
    pieces.sort(key=lambda piece: piece.box[0] + piece.box[2])
    segments = []
    for first in range(len(pieces)):
        for last in range(first + 1, min(first + MAX_PIECES, len(pieces)) + 1):
            group = pieces[first:last]
            box = group[0].box
            ok = True
            for one in group[1:]:
                if one.box[0] - box[2] > MAX_GAP * h:
                    ok = False
                box = enclose(box, one.box)
            if not ok or (box[2] - box[0] > MAX_WIDTH * h and last > first + 1):
                break
            segments.append(make(line, group, box, first, last))
    return NumberDrawing(segments, len(pieces) + 1, find_candidates(image) if len(parts) <= 3 else [])


def stroke_width(line: InkLine) -> float:
    mask = (line.labels > 0).astype(np.uint8)
    inner = cv2.erode(mask, np.ones((3, 3), np.uint8))
    area, edge = int(mask.sum()), int(mask.sum()) - int(inner.sum())
    return 2 * area / max(edge, 1)


def cut(line: InkLine, part: Part, stroke: float) -> list[Piece]:
    left, top, right, bottom = part.box
    own = line.labels[top:bottom, left:right] == part.label
    levels = np.where(own, line.levels[top:bottom, left:right], 0).astype(np.uint8)
    h = line.digit_height
    if part.width < MIN_CUT_WIDTH * h:
        return [Piece(part.box, levels, part.label)]
    cuts = find_cuts(levels, h, stroke)
    columns = np.arange(right - left)
    pieces = []
    edge = np.zeros(bottom - top, np.int32)
    costs = [-1.0, *(c.cost for c in cuts), -1.0]
    for k, border in enumerate([*(c.columns for c in cuts), np.full(bottom - top, right - left, np.int32)]):
        border = np.maximum(border, edge)
        piece = np.where((columns >= edge[:, None]) & (columns < border[:, None]), levels, 0).astype(np.uint8)
        edge = border
        if not (piece > 85).any():
            continue
        l, t, r, b = bounding_box(piece > 85)
        pieces.append(Piece((l + left, t + top, r + left, b + top), piece[t:b, l:r], part.label, costs[k], costs[k + 1]))
    return pieces


def make(line: InkLine, group: list[Piece], box: IntBox, first: int, last: int) -> Segment:
    left, top, right, bottom = box
    levels = np.zeros((bottom - top, right - left), np.uint8)
    for one in group:
        l, t, r, b = one.box
        view = levels[t - top : b - top, l - left : r - left]
        np.maximum(view, one.levels, out=view)
    ink = Image.fromarray(np.pad(levels, 1))
    h = line.digit_height
    digit = normalize(Ink(ink, False, 0, (1, 1, right - left + 1, bottom - top + 1), None))
    gaps, reach = [0.0], group[0].box[2]
    for one in group[1:]:
        gaps.append(one.box[0] - reach)
        reach = max(reach, one.box[2])
    feats = dict(w=(right - left) / h, h=(bottom - top) / h, cy=(top + bottom) / 2 / h, cx=(left + right) / 2 / h,
                 cl=group[0].cost_left, cr=group[-1].cost_right, gap=max(gaps) / h, parts=len({g.part for g in group}), n=len(group), box=box)
    return Segment(digit, line.place(box), Image.fromarray(levels), first, last, 0.0, feats)
