"""Find the line of digits in a picture, and the segments that may be one digit each."""

import numpy as np
from PIL import Image

from recognition.errors import MAX_DIGITS, BlankDrawing, TooManyDigits
from recognition.imaging.candidates import Candidate, Doubt, find_candidates
from recognition.imaging.numbers.ink import InkMap, Part, map_ink
from recognition.imaging.numbers.lattice import NumberDrawing, find_segments
from recognition.imaging.numbers.pieces import find_pieces
from recognition.imaging.polarity import to_grey
from recognition.imaging.scaling import Pixels

MAX_PARTS = 2 * MAX_DIGITS  # digits may be in pieces; more components in all lines are a text
MAX_PIECES = 8 * MAX_DIGITS  # touching digits have three to five each
LINE_PITCH = 0.6  # digit heights between the middles of two components; with more, they are on different lines
MIN_SLOPED_LENGTH = 1.5  # digit heights; the slope of a shorter line's middles says nothing
MAX_DIGIT_WIDTH = 1.6  # digit heights; wider ink is no single digit


def find_number(image: Image.Image | Pixels) -> NumberDrawing:
    """Return the segments of an image, L, LA, RGB or RGBA. Raises BlankDrawing and TooManyDigits."""
    pixels = np.asarray(image)
    ink = map_ink(*to_grey(pixels))
    lines = split_lines(ink)
    if sum(len(line) for line in lines if len(line) > 1) > MAX_PARTS:
        raise TooManyDigits
    longest = max(lines, key=lambda line: sum(part.width * part.height for part in line))
    tall = [part for part in longest if ink.is_tall(part)]
    if len(tall) > MAX_DIGITS:
        raise TooManyDigits
    pieces = find_pieces(ink, longest)
    if not pieces:
        raise BlankDrawing
    if len(pieces) > MAX_PIECES:
        raise TooManyDigits
    segments = find_segments(ink, pieces, middle_line(tall, ink.digit_height))
    doubt: Doubt = "surroundings" if len(lines) > 1 else ""
    may_be_one = may_be_one_digit(ink)
    is_one_segment = len(lines) == 1 and any(one.last - one.first == len(pieces) for one in segments)
    candidates: list[Candidate] = []
    if ink.is_surrounded or may_be_one or is_one_segment:
        try:
            candidates = find_candidates(pixels)
        except BlankDrawing:
            if may_be_one:
                raise
    return NumberDrawing(segments, len(pieces) + 1, candidates, ink.is_surrounded, doubt)


def split_lines(ink: InkMap) -> list[list[Part]]:
    """Return the components of each line of writing, from the top: a gap between tall ones' middles begins a line."""
    tall = sorted((part for part in ink.parts if ink.is_tall(part)), key=lambda part: part.middle[1])
    lines: list[list[Part]] = []
    for part in tall:
        if not lines or part.middle[1] - lines[-1][-1].middle[1] > LINE_PITCH * ink.digit_height:
            lines.append([])
        lines[-1].append(part)
    if not lines:
        return [ink.parts]
    for part in ink.parts:
        if not ink.is_tall(part):
            distances = [min(abs(one.middle[1] - part.middle[1]) for one in line) for line in lines]
            lines[int(np.argmin(distances))].append(part)
    return lines


def middle_line(tall: list[Part], height: float) -> tuple[float, float]:
    """Return slope and offset (pixels) of the line through the middles of the tall components."""
    if not tall:
        return 0.0, 0.0
    across, down = np.array([part.middle for part in tall]).T
    if np.ptp(across) < MIN_SLOPED_LENGTH * height:
        return 0.0, float(np.median(down))
    slope, offset = np.polyfit(across, down, 1)
    return float(slope), float(offset)


def may_be_one_digit(ink: InkMap) -> bool:
    """Whether the picture may hold a single digit: all ink is narrow enough, with two tall components at most."""
    tall = [part for part in ink.parts if ink.is_tall(part)]
    left, right = min(part.box[0] for part in ink.parts), max(part.box[2] for part in ink.parts)
    return len(tall) <= 2 and right - left < MAX_DIGIT_WIDTH * ink.digit_height
