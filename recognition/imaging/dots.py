"""Tell a dot or a blot from a digit: solid, convex ink about as wide as it is long has no shape to read."""

import cv2
import numpy as np

from recognition.imaging.polarity import Mask
from recognition.imaging.scaling import Levels

MIN_FILL = 0.6  # share of its box that solid ink takes if it is compact, whichever way it lies
MAX_LENGTH = 1.6  # widths of a dot; longer ink may be a short 1
MIN_CORNERED = 0.93  # share of the smallest rectangle around it that a sheet fills
EDGE = 0.05  # of the longer side: how far the outline may be dented


def is_dot(inked: Mask) -> bool:
    """Whether the ink in a mask, which is its bounding box, is a dot."""
    if np.count_nonzero(inked) < MIN_FILL * inked.size or not is_solid(inked):
        return False
    shorter, longer = sides(inked)
    return longer <= MAX_LENGTH * shorter


def is_rounded(inked: Mask) -> bool:
    """Whether the ink in a mask is solid and has no corners, as a short thick stroke, unlike a sheet of paper."""
    shorter, longer = sides(inked)
    return bool(np.count_nonzero(inked) < MIN_CORNERED * shorter * longer) and is_solid(inked)


def is_solid(inked: Mask) -> bool:
    """Whether the ink in a mask is one convex area without holes: nothing is written on it."""
    shown = cv2.copyMakeBorder(inked.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    hull: Levels = np.zeros(shown.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(cv2.findNonZero(shown)), (1,))
    edge = 2 * max(round(EDGE * max(inked.shape)), 1) + 1
    inside = cv2.erode(hull, np.ones((edge, edge), np.uint8))
    return bool(inside.any()) and not bool((inside > shown).any())


def sides(inked: Mask) -> tuple[float, float]:
    """Return the shorter and the longer side of the smallest rectangle around the ink, which may be turned."""
    _, between, _ = cv2.minAreaRect(cv2.findNonZero(inked.astype(np.uint8)))
    shorter, longer = sorted(side + 1 for side in between)  # they are between the middles of pixels
    return shorter, longer
