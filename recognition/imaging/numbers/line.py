"""Find the line of digits in a picture, and the segments that may be one digit each."""

import numpy as np
from PIL import Image

from recognition.errors import MAX_DIGITS, BlankDrawing, TooManyDigits
from recognition.imaging.candidates import Candidate, Doubt, find_candidates
from recognition.imaging.numbers.ink import InkMap, Part, map_ink
from recognition.imaging.numbers.lattice import NumberDrawing, find_segments
from recognition.imaging.numbers.pieces import find_pieces
from recognition.imaging.polarity import to_grey

TALL = 0.5  # digit heights; a higher part is a digit or several
MAX_LENGTH = MAX_DIGITS * 1.6  # digit heights of ink beside each other
ANOTHER_LINE = 0.6  # digit heights between the middles of two neighbours one above the other
LONG = 1.5  # digit heights; along a shorter line, the slope of its middle means nothing
ONE_DIGIT_WIDTH = 1.6  # digit heights; what is wider is no single digit


def find_number(image: Image.Image) -> NumberDrawing:
    """Return the segments of an image of mode L, LA, RGB or RGBA. Raises BlankDrawing and TooManyDigits."""
    ink = map_ink(*to_grey(image))
    lines = split_lines(ink.parts, ink.digit_height)
    if sum(len(line) for line in lines if len(line) > 1) > 2 * MAX_DIGITS:
        raise TooManyDigits
    longest = max(lines, key=lambda line: sum(part.width * part.height for part in line))
    tall = [part for part in longest if part.height > TALL * ink.digit_height]
    if len(tall) > MAX_DIGITS or sum(part.width for part in tall) > MAX_LENGTH * ink.digit_height:
        raise TooManyDigits
    pieces = find_pieces(ink, longest)
    if not pieces:
        raise BlankDrawing
    segments = find_segments(ink, pieces, middle_line(tall, ink.digit_height))
    doubt: Doubt = "surroundings" if len(lines) > 1 else ""
    may_be_one = may_be_one_digit(ink)
    is_one_segment = len(lines) == 1 and any(one.last - one.first == len(pieces) for one in segments)
    candidates: list[Candidate] = []
    if ink.is_surrounded or may_be_one or is_one_segment:
        try:
            candidates = find_candidates(image)
        except BlankDrawing:
            if may_be_one:
                raise
    return NumberDrawing(segments, len(pieces) + 1, candidates, ink.is_surrounded, doubt)


def split_lines(parts: list[Part], height: float) -> list[list[Part]]:
    """Return the parts of each line of writing: where no tall part's middle is near, another line begins."""
    tall = sorted((part for part in parts if part.height > TALL * height), key=lambda part: part.middle[1])
    lines: list[list[Part]] = []
    for part in tall:
        if not lines or part.middle[1] - lines[-1][-1].middle[1] > ANOTHER_LINE * height:
            lines.append([])
        lines[-1].append(part)
    if not lines:
        return [parts]
    for part in parts:
        if part.height <= TALL * height:
            middles = [abs(min(one.middle[1] for one in line) - part.middle[1]) for line in lines]
            lines[int(np.argmin(middles))].append(part)
    return lines


def middle_line(tall: list[Part], height: float) -> tuple[float, float]:
    """Return slope and offset of the line through the middles of the digits."""
    if not tall:
        return 0.0, 0.0
    across, down = np.array([part.middle for part in tall]).T
    if np.ptp(across) < LONG * height:
        return 0.0, float(np.median(down))
    slope, offset = np.polyfit(across, down, 1)
    return float(slope), float(offset)


def may_be_one_digit(ink: InkMap) -> bool:
    """Whether the picture may hold a single digit: no two tall parts stand beside each other."""
    tall = [part for part in ink.parts if part.height > TALL * ink.digit_height]
    left, right = min(part.box[0] for part in ink.parts), max(part.box[2] for part in ink.parts)
    return len(tall) <= 2 and right - left < ONE_DIGIT_WIDTH * ink.digit_height
