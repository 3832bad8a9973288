"""Find the digit in a picture of more than a digit: print, forms, exercise books, desks, fingers, dirt, faint ink."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from recognition.imaging.dots import is_dot
from recognition.imaging.lines import Line, erase, find_lines
from recognition.imaging.paper import InkMap, border_of, dark_share, map_ink, remove_specks, to_working_size
from recognition.imaging.parts import Digit, find_digit
from recognition.imaging.polarity import grow, longer_side
from recognition.imaging.scaling import Levels
from recognition.imaging.segmentation import Ink

MIN_DIGIT = 0.12  # of the image's longer side, at the working size
MIN_REST = 0.15  # the least size of what a touching line may leave, in the same unit
EDGE = 5  # pixels of the disc by which the digit's mask grows, to keep the paler edges of strokes
ZOOM_BELOW = 0.28  # a smaller digit is looked at again, closer
UNLIKELY = 0.7  # how much the confidence counts of ink on the less likely of bright and dark paper
DARKEST = 0.2  # of the range of levels; a border below that is the darkest there is
MOSTLY = 0.6  # share of a dark border above which the paper is dark
DARK_BORDER = 0.3  # share of the border; with less dark, light ink is out of the question

cv2.setNumThreads(1)  # the picture is too small a job to share, and requests run side by side


@dataclass(frozen=True)
class Clearing:
    """A digit without its surroundings."""

    ink: Ink
    was_cleared: bool  # of print, a frame or a desk
    left_out: float  # other ink, as a share of the digit's
    is_cut_off: bool
    is_one_of_several: bool
    on_sheet: bool  # the paper is a rectangle inside the picture
    weight: float = 1.0


def clear_surroundings(grey: Levels, corner: tuple[int, int], *, is_drawing: bool) -> list[Clearing]:
    """Return the digit on bright paper, and on dark paper if the border is dark; those that were found."""
    levels = remove_specks(grey)
    border = border_of(levels)
    darkest, brightest = int(levels.min()), int(levels.max())
    dark = dark_share(border, levels)
    is_darkest = float(np.median(border)) - darkest < DARKEST * (brightest - darkest)
    on_bright: Clearing | None
    on_bright, on_dark = clear(levels, corner, is_drawing), None
    if dark > DARK_BORDER:
        on_dark = clear(255 - levels, corner, is_drawing)
    if dark > MOSTLY and is_darkest:  # light ink, unless the dark surrounds a sheet
        if is_drawing:
            on_bright = clear(levels, corner, is_drawing=False)
        if on_bright is not None and not on_bright.on_sheet:
            on_bright = None
    if on_bright is not None and on_dark is not None:  # a sheet on a desk is likelier than light ink on a board
        on_dark = replace(on_dark, weight=UNLIKELY)
    return [clearing for clearing in (on_bright, on_dark) if clearing is not None]


def clear(levels: Levels, corner: tuple[int, int], is_drawing: bool, zooms: int = 2) -> Clearing | None:
    """Return the dark digit on the bright paper in an image whose left top corner lies at `corner`, if there is one."""
    small, scale = to_working_size(levels)
    found = map_ink(small, everywhere=is_drawing)
    if found is None:
        return None
    lines = find_lines(found.mask, found.paper)
    printed = find_print(found, lines)
    mask = erase(found.mask, printed)
    digit = find_digit(mask, found.paper, lines, printed)
    size = 0 if digit is None else int(longer_side(digit.box))
    if digit is None or size < MIN_DIGIT * max(mask.shape) / (1 + 2 * zooms):
        return None
    left_out = int(np.count_nonzero(mask & ~digit.mask)) / max(int(np.count_nonzero(digit.mask)), 1)
    was_cleared = bool(printed) or digit.is_surrounded or found.on_desk
    if zooms and scale < 1 and size < ZOOM_BELOW * max(mask.shape):
        around = grow(digit.box, 0.4 * size + 6, (mask.shape[1], mask.shape[0]))
        left, top, right, bottom = (int(side / scale) for side in around)
        closer = clear(levels[top:bottom, left:right], (corner[0] + left, corner[1] + top), is_drawing, zooms - 1)
        if closer is not None:
            return replace(
                closer,
                was_cleared=was_cleared or closer.was_cleared,
                left_out=max(left_out, closer.left_out),
                is_one_of_several=digit.is_one_of_several or closer.is_one_of_several,
                on_sheet=found.is_sheet or closer.on_sheet,
            )
    ink = Ink(
        found.extract(digit.mask, mask, EDGE),
        False,
        0,
        digit.box,
        None,
        corner=corner,
        reduction=1 / scale,
        is_dot=is_dot(digit.mask[digit.box[1] : digit.box[3], digit.box[0] : digit.box[2]]),
    )
    return Clearing(ink, was_cleared, left_out, digit.is_cut_off, digit.is_one_of_several, found.is_sheet)


def find_print(found: InkMap, lines: list[Line]) -> list[Line]:
    """Return the lines that are print and not strokes of the digit."""
    printed = [line for line in lines if line.is_print()]
    for line in sorted(lines, key=lambda line: -line.length):
        if line in printed or not line.is_even or not line.ends_outside:
            continue
        rest = find_digit(erase(found.mask, [*printed, line]), found.paper, lines, [*printed, line])
        if rest is not None and is_rest_a_digit(rest, line) and line.sticks_out(rest.box):
            printed.append(line)
    return printed


def is_rest_a_digit(rest: Digit, line: Line) -> bool:
    """Whether enough is left without a line for a digit."""
    return (
        longer_side(rest.box) >= MIN_REST * max(rest.mask.shape)
        and rest.mask.sum() >= 0.5 * line.thickness * line.length
    )
