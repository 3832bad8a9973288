"""Find the line of digits in a picture, and the segments that may be one digit each."""

import cv2
import numpy as np
from PIL import Image

from recognition.errors import MAX_DIGITS, BlankDrawing, TooManyDigits
from recognition.imaging.candidates import find_candidates
from recognition.imaging.numbers.lattice import NumberDrawing, Segment
from recognition.imaging.polarity import binarize, subtract_background, to_grey
from recognition.imaging.preprocessing import normalize
from recognition.imaging.segmentation import Ink


def find_number(image: Image.Image) -> NumberDrawing:
    """Return the segments of an image of mode L, LA, RGB or RGBA. Raises BlankDrawing and TooManyDigits."""
    grey, corner = to_grey(image)
    inked, is_dark, background = binarize(grey)
    levels = subtract_background(np.asarray(grey), is_dark, np.asarray(background))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(inked.astype(np.uint8), connectivity=8)
    tallest = max(stats[1:, cv2.CC_STAT_HEIGHT])
    found = sorted((int(s[0]), k) for k, s in enumerate(stats) if k and s[cv2.CC_STAT_HEIGHT] > 0.4 * tallest)
    if not found:
        raise BlankDrawing
    if len(found) > MAX_DIGITS:
        raise TooManyDigits
    segments = []
    for node, (_, label) in enumerate(found):
        left, top, width, height, _ = (int(number) for number in stats[label])
        ink = Image.fromarray(np.where(labels == label, levels, 0).astype(np.uint8))
        box = left, top, left + width, top + height
        placed = left + corner[0], top + corner[1], width, height
        segments.append(Segment(normalize(Ink(ink, False, 0, box, None)), placed, ink.crop(box), node, node + 1))
    return NumberDrawing(segments, len(found) + 1, find_candidates(image) if len(found) == 1 else [])
