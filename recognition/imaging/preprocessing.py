"""Normalize a drawn digit to MNIST's geometry: 28x28, centred by mass, strokes of MNIST's width.

MNIST scales each digit, proportions kept, into a 20x20 box and places it in a 28x28 field by its centre of mass (LeCun
et al., "Gradient-based learning applied to document recognition", 1998, section III-A). The same happens here after the
ink is found, and the stroke width is brought close to MNIST's.

Pure functions on arrays, safe to call from any thread.
"""

import base64
from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognition.errors import BlankDrawing
from recognition.imaging.polarity import bounding_box, longer_side, subtract_background
from recognition.imaging.scaling import Levels
from recognition.imaging.segmentation import Ink

FIELD = 28  # the side of MNIST's images, in pixels
BOX = 20  # the side of the box that the digit fills
ZOOM = 4  # the working grid is this many times finer
WORK = BOX * ZOOM

# Stroke widths in working pixels; wider and narrower strokes are brought to the nearer bound. MNIST's middle half has
# 8.3 to 11.0, and these bounds give the best accuracy on digits drawn with pens of many widths.
MIN_STROKE, MAX_STROKE = 10.0, 12.0

# Between these fractions of the full ink level, the edge of a stroke rises from 0 to FULL.
LOW, HIGH = 0.25, 0.75
FAINT, HALF, FULL = 12, 127, 255  # levels
MIN_STRONG = 0.5  # share of the box that strong ink spans, at least, for the scale: a faint digit may hold one dark dot

# sqrt(2) - 1 of a square and the rest of a cross make an octagon: the same reach along axes and diagonals.
DIAGONAL = 0.414

CROSS: Levels = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
SQUARE: Levels = np.ones((3, 3), np.uint8)

# How far a 28x28 image may deviate from MNIST's geometry, in pixels, and still be used unaltered.
MIN_BOX = 18
MAX_OFFSET = 1.0
MIN_STRENGTH = 0.5  # as a fraction of full ink; a fainter image is brought to full strength like a larger drawing

Grid = NDArray[np.float32]


def normalize(ink: Ink, pen: float | None = None) -> Grid:
    """Return the digit as float32 (28, 28), ink 1.0 on 0.0. Raises BlankDrawing if there is no ink.

    `pen` is the width of its strokes in pixels, if that is known; it is measured otherwise.
    """
    unaltered = as_mnist(ink)
    return centre(scale_to_box(ink, pen)) if unaltered is None else unaltered


def encode_png(array: NDArray[np.floating]) -> bytes:
    """Encode a (28, 28) array of 0..1 as a grey PNG, white ink on black."""
    levels = np.rint(np.clip(array, 0.0, 1.0) * 255).astype(np.uint8)
    buffer = BytesIO()
    Image.fromarray(levels).save(buffer, "PNG")
    return buffer.getvalue()


def png_data_url(png: bytes) -> str:
    """Return a PNG file as a data URL."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def as_mnist(ink: Ink) -> Grid | None:
    """Return the image itself if it has MNIST's geometry already (28x28, box of 20, centred by mass), else None."""
    if ink.grey.shape != (FIELD, FIELD) or ink.mask is not None or not isinstance(ink.background, int):
        return None
    levels = subtract_background(ink.grey, ink.is_dark, ink.background)
    if not levels.any() or not MIN_BOX <= longer_side(bounding_box(levels)) <= BOX:
        return None
    field = levels.astype(np.float32) / np.float32(ink.background if ink.is_dark else 255 - ink.background)
    if field.max() < MIN_STRENGTH or max(abs(mass - FIELD / 2) for mass in centre_of_mass(field)) > MAX_OFFSET:
        return None
    return field


def scale_to_box(ink: Ink, pen: float | None = None) -> Levels:
    """Scale the digit's longer side to 80 pixels (20 of MNIST's) and its strokes to MNIST's width."""
    return scale_and_widen(ink, pen)[0]


def scale_and_widen(ink: Ink, pen: float | None = None) -> tuple[Levels, float]:
    """Return what `scale_to_box` does, and the longer side to which the ink was scaled before strokes were widened."""
    levels = None
    if pen is None:
        levels = ink_levels(ink, WORK)
        width, length = stroke_width(levels), max(longer_side(bounding_box(levels > HALF)), WORK * MIN_STRONG)
    else:
        size = longer_side(ink.box)
        width, length = min(pen, size / 2) * WORK / size, float(WORK)
    stroke = width * WORK / length
    wanted = min(max(stroke, MIN_STROKE), MAX_STROKE)
    scale, longer = WORK / length, float(WORK)
    if wanted != stroke:
        # The middle line of the stroke keeps its shape, so that is what must be scaled.
        scale = min((WORK - wanted) / max(length - width, 1.0), 1.6 * scale)
    if levels is None or abs(scale - 1) * length > 1:
        longer = WORK * scale
        levels = ink_levels(ink, longer)
    change = (wanted - width * scale) / 2
    if abs(change) < 0.1:
        return levels, longer
    return (widen(levels, change) if change > 0 else narrow(levels, -change)), longer


def ink_levels(ink: Ink, longer: float) -> Levels:
    """Return the ink at working size, its edges steepened: MNIST too was made from black and white images."""
    levels = ink.resample(longer)
    strongest = int(levels.max())
    if not strongest:
        raise BlankDrawing
    solid = float(levels[levels > strongest // 2].mean())
    steepness = FULL / ((HIGH - LOW) * solid)
    framed = pad(levels, 3)
    return np.asarray(cv2.addWeighted(framed, steepness, framed, 0, -LOW * solid * steepness), np.uint8)


def pad(levels: Levels, width: int) -> Levels:
    """Return a copy with `width` empty pixels on every side."""
    return np.asarray(cv2.copyMakeBorder(levels, width, width, width, width, cv2.BORDER_CONSTANT, value=0), np.uint8)


def stroke_width(levels: Levels) -> float:
    """Return the mean stroke width in pixels: twice the area over the length of the outline."""
    area, less, least = (cv2.sumElems(one)[0] for one in (levels, erode(levels, CROSS), erode(levels, SQUARE)))
    eroded = (1 - DIAGONAL) * less + DIAGONAL * least  # by one pixel
    return 2.0 * area / max(area - eroded, 1e-6)


def erode(levels: Levels, element: Levels) -> Levels:
    """Return the least level under the structuring element, for every pixel; outside is 0."""
    return np.asarray(cv2.erode(levels, element, borderType=cv2.BORDER_CONSTANT, borderValue=0), np.uint8)


def dilate(levels: Levels, element: Levels) -> Levels:
    """Return the greatest level under the structuring element, for every pixel."""
    return np.asarray(cv2.dilate(levels, element, borderType=cv2.BORDER_CONSTANT, borderValue=0), np.uint8)


def octagon(step: int) -> Levels:
    """Return the structuring element of a step: two squares for three crosses grow a stroke evenly."""
    return SQUARE if step % 5 in (1, 3) else CROSS


def widen(levels: Levels, amount: float) -> Levels:
    """Put `amount` pixels on every edge."""
    whole = int(amount)
    levels = pad(levels, whole + 2)
    for step in range(whole):
        levels = dilate(levels, octagon(step))
    return blend(levels, dilate(levels, CROSS), amount - whole)


def narrow(levels: Levels, amount: float) -> Levels:
    """Take `amount` pixels off every edge, but leave a line where a part is too thin for that.

    What an opening would lose at each step is the middle line of a part about to vanish (Lantuejoul's skeleton).
    """
    levels = pad(levels, 2)
    lines = np.zeros_like(levels)
    whole = int(amount)
    for step in range(whole + 1):
        smaller = erode(levels, octagon(step))
        lines = np.maximum(lines, cv2.subtract(levels, dilate(smaller, SQUARE)))
        levels = blend(levels, smaller, amount - whole) if step == whole else smaller
    if lines.max() <= HALF:
        return levels
    return np.maximum(levels, dilate(dilate(lines, CROSS), SQUARE))


def blend(one: Levels, other: Levels, share: float) -> Levels:
    """Return the mean of two pictures, in which the other one has a share of 0 to 1."""
    return np.asarray(cv2.addWeighted(one, 1 - share, other, share, 0), np.uint8)


def centre_of_mass(levels: Levels | Grid) -> tuple[float, float]:
    """Return (row, column) in pixels from the top left corner."""
    moments = cv2.moments(levels)
    total = moments["m00"]
    if total <= 0:
        raise BlankDrawing
    return moments["m01"] / total + 0.5, moments["m10"] / total + 0.5


def centre(levels: Levels) -> Grid:
    """Place the digit of the working size in the field by its centre of mass, and reduce it to (28, 28)."""
    left, top, right, bottom = bounding_box(levels > FAINT)
    levels = levels[top:bottom, left:right][: FIELD * ZOOM, : FIELD * ZOOM]
    field = np.zeros((FIELD * ZOOM, FIELD * ZOOM), dtype=np.float32)
    top, left = place_in_field(levels)
    field[top : top + levels.shape[0], left : left + levels.shape[1]] = levels
    return np.asarray(cv2.resize(field, (FIELD, FIELD), interpolation=cv2.INTER_AREA), np.float32) / np.float32(FULL)


def place_in_field(levels: Levels) -> tuple[int, int]:
    """Return the row and column of the field where the corner of the digit's box goes, in working pixels."""
    origin = []
    for mass, side in zip(centre_of_mass(levels), levels.shape, strict=True):
        # To a quarter of a pixel. MNIST was centred by whole pixels, but then a hair's breadth in the drawing can shift
        # the digit by one, and change the prediction.
        start = round(FIELD * ZOOM / 2 - mass)
        origin.append(min(max(start, 0), FIELD * ZOOM - side))
    top, left = origin
    return top, left


def locate_field(ink: Ink) -> tuple[float, float, float]:
    """Return left, top and side of the field of `normalize` in the pixels of the ink's grey image, or beyond it."""
    if as_mnist(ink) is not None:
        return 0, 0, FIELD
    levels, longer = scale_and_widen(ink)
    scale = longer / longer_side(ink.box)
    region = ink.region(scale)
    box = bounding_box(levels > FAINT)
    top, left = place_in_field(levels[box[1] : box[3], box[0] : box[2]][: FIELD * ZOOM, : FIELD * ZOOM])
    # Every margin was added on both sides, so the middle of the levels is still that of the region.
    x = (region[0] + region[2]) / 2 + (box[0] - left - levels.shape[1] / 2) / scale
    y = (region[1] + region[3]) / 2 + (box[1] - top - levels.shape[0] / 2) / scale
    return x, y, FIELD * ZOOM / scale
