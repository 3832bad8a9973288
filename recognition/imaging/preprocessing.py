"""A picture of a digit -> the 28x28 array a network trained on MNIST expects.

MNIST's makers scaled each digit, proportions kept, into a 20x20 box, and placed it in a 28x28 field by its centre of
mass (LeCun et al., "Gradient-based learning applied to document recognition", 1998, section III-A). The steps here
do the same, after finding the ink on whatever it was drawn with, and bring the pen to about MNIST's width.

Pure functions on Pillow pictures and small arrays: no state, safe to call from any thread.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognition.errors import BlankDrawing
from recognition.imaging.decoding import read_image
from recognition.imaging.ink import Ink, find_ink, lift

FIELD = 28  # MNIST's picture, in pixels
BOX = 20  # the box the digit fills
ZOOM = 4  # the working grid is this many times finer
WORK = BOX * ZOOM
AVERAGE = np.kron(np.eye(FIELD), np.full((1, ZOOM), 1 / ZOOM)).astype(np.float32)  # from both sides: a mean of blocks

# Pens outside these widths (in working pixels) are brought to the nearer bound; MNIST's middle half
# lies at 8.3 to 11.0, and these bounds read best on digits drawn with pens of many widths.
THINNEST = 10.0
THICKEST = 12.0

# Between these fractions of the full ink level the edge of a stroke goes from 0 to 1.
LOW, HIGH = 0.25, 0.75

# How far a 28x28 picture may be from MNIST's own geometry (pixels) and be taken as it is.
SNUG = 18
OFF_CENTRE = 1.0
FAINT = 0.5  # of full ink: below, it is brought to full strength as a larger drawing is

Grid = NDArray[np.float32]


def prepare(data: bytes) -> Grid:
    """Encoded picture -> float32 array (28, 28), ink 1.0 on 0.0, as MNIST was made.

    Raises:
        EmptyImage, UnsupportedImage, CorruptImage, ImageTooLarge, ImageTooSmall: see `read_image`.
        BlankDrawing: the picture shows no ink.
    """
    return prepare_image(read_image(data))


def prepare_image(image: Image.Image) -> Grid:
    """As `prepare`, from a decoded picture of mode L, LA, RGB or RGBA."""
    ink = find_ink(image)
    ready = as_mnist(ink)
    if ready is not None:
        return ready
    return centre(fit(ink))


def encode_png(array: NDArray[np.floating]) -> bytes:
    """A (28, 28) array of 0..1 as a greyscale PNG, white ink on black."""
    levels = np.rint(np.clip(array, 0.0, 1.0) * 255).astype(np.uint8)
    buffer = BytesIO()
    Image.fromarray(levels).save(buffer, "PNG")
    return buffer.getvalue()


def as_mnist(ink: Ink) -> Grid | None:
    """The picture itself when it already is as MNIST's are: 28x28, box of 20, centred by mass; else None."""
    if ink.grey.size != (FIELD, FIELD) or ink.kept is not None or not isinstance(ink.paper, int):
        return None
    levels = lift(np.asarray(ink.grey), ink.dark, ink.paper)
    box = Image.fromarray(levels).getbbox()
    if box is None or not SNUG <= max(box[2] - box[0], box[3] - box[1]) <= BOX:
        return None
    field = levels.astype(np.float32) / np.float32(ink.paper if ink.dark else 255 - ink.paper)
    if field.max() < FAINT or max(abs(mass - FIELD / 2) for mass in centre_of_mass(field)) > OFF_CENTRE:
        return None
    return field


def fit(ink: Ink) -> Grid:
    """Scale the digit's longer side to 80 pixels (20 of MNIST's), its pen brought to MNIST's width."""
    grid = ink_grid(ink, WORK)
    width, length = pen_width(grid), longer_side(grid)
    pen = width * WORK / length
    wanted = min(max(pen, THINNEST), THICKEST)
    scale = WORK / length
    if wanted != pen:
        # The middle line of the stroke keeps its shape, so it is what must be scaled.
        scale = min((WORK - wanted) / max(length - width, 1.0), 1.6 * scale)
    if abs(scale - 1) * length > 1:
        grid = ink_grid(ink, WORK * scale)
    change = (wanted - width * scale) / 2
    if abs(change) < 0.1:
        return grid
    return widen(grid, change) if change > 0 else narrow(grid, -change)


def ink_grid(ink: Ink, longer: float) -> Grid:
    """The ink at working size as 0..1, its edges steepened: MNIST too was made from black and white pictures."""
    levels = ink.sample(longer)
    strongest = int(levels.max())
    if not strongest:
        raise BlankDrawing
    solid = float(levels[levels > strongest // 2].mean())
    grid = bordered(levels, 3)
    grid -= np.float32(LOW * solid)
    grid *= np.float32(1 / ((HIGH - LOW) * solid))
    return np.clip(grid, 0.0, 1.0, out=grid)


def bordered(grid: NDArray, width: int) -> Grid:
    """A copy with `width` empty pixels on every side (np.pad takes ten times as long)."""
    out = np.zeros((grid.shape[0] + 2 * width, grid.shape[1] + 2 * width), dtype=np.float32)
    out[width:-width, width:-width] = grid
    return out


def pen_width(grid: Grid) -> float:
    """Mean stroke width in pixels: twice the area over the length of the outline."""
    area = float(grid.sum())
    lost = area - float(erode(grid).sum())
    return 2.0 * area / max(lost, 1e-6)


def longer_side(grid: Grid) -> int:
    """The longer side of the ink, in pixels."""
    inked = grid > 0.5
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    if not len(rows):
        raise BlankDrawing
    return int(max(rows[-1] - rows[0], columns[-1] - columns[0])) + 1


def _square(grid: Grid, pick: np.ufunc) -> Grid:
    """The extreme of every pixel and its eight neighbours."""
    tall = pick(pick(grid[:-2], grid[2:]), grid[1:-1])
    out = np.zeros_like(grid)
    out[1:-1, 1:-1] = pick(pick(tall[:, :-2], tall[:, 2:]), tall[:, 1:-1])
    return out


def _cross(grid: Grid, pick: np.ufunc) -> Grid:
    """The extreme of every pixel and its four neighbours."""
    out = np.zeros_like(grid)
    inner = pick(pick(grid[:-2, 1:-1], grid[2:, 1:-1]), pick(grid[1:-1, :-2], grid[1:-1, 2:]))
    out[1:-1, 1:-1] = pick(inner, grid[1:-1, 1:-1])
    return out


# sqrt(2) - 1 of a square and the rest of a cross make an octagon: the same reach along axes and diagonals.
DIAGONAL = 0.414


def erode(grid: Grid) -> Grid:
    """Take about one pixel off every edge."""
    return (1 - DIAGONAL) * _cross(grid, np.minimum) + DIAGONAL * _square(grid, np.minimum)


def widen(grid: Grid, amount: float) -> Grid:
    """Put `amount` pixels on every edge."""
    whole = int(amount)
    grid = bordered(grid, whole + 2)
    for step in range(whole):
        grid = _octagon(step)(grid, np.maximum)
    rest = np.float32(amount - whole)
    return grid + rest * (_cross(grid, np.maximum) - grid)


def narrow(grid: Grid, amount: float) -> Grid:
    """Take `amount` pixels off every edge, but leave a line where a part is too thin for that.

    What an opening would lose at each step is the middle line of a part about to vanish (Lantuejoul's skeleton).
    """
    grid = bordered(grid, 2)
    lines = np.zeros_like(grid)
    whole = int(amount)
    for step in range(whole + 1):
        smaller = _octagon(step)(grid, np.minimum)
        np.maximum(lines, grid - _square(smaller, np.maximum), out=lines)
        share = np.float32(amount - whole) if step == whole else np.float32(1.0)
        grid = grid + share * (smaller - grid)
    if lines.max() < 0.5:
        return grid
    return np.maximum(grid, _square(_cross(lines, np.maximum), np.maximum))


def _octagon(step: int) -> Callable[[Grid, np.ufunc], Grid]:
    """Two squares for every three crosses grow (or shrink) a stroke about evenly in all directions."""
    return _square if step % 5 in (1, 3) else _cross


def centre_of_mass(grid: Grid) -> tuple[float, float]:
    """(row, column) in pixels from the top left corner."""
    rows, columns = grid.sum(axis=1), grid.sum(axis=0)
    total = float(rows.sum())
    if total <= 0:
        raise BlankDrawing
    return (
        float(rows @ (np.arange(len(rows)) + 0.5)) / total,
        float(columns @ (np.arange(len(columns)) + 0.5)) / total,
    )


def centre(grid: Grid) -> Grid:
    """Place the working grid in the field by centre of mass and shrink it to (28, 28)."""
    rows, columns = np.flatnonzero(grid.max(axis=1) > 0.05), np.flatnonzero(grid.max(axis=0) > 0.05)
    if not len(rows):
        raise BlankDrawing
    grid = grid[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1][: FIELD * ZOOM, : FIELD * ZOOM]
    field = np.zeros((FIELD * ZOOM, FIELD * ZOOM), dtype=np.float32)
    place = []
    for mass, side in zip(centre_of_mass(grid), grid.shape, strict=True):
        # To a quarter of a pixel. MNIST's makers moved by whole pixels, but then a hair's breadth in the drawing
        # can shift the whole digit by one, and the network's answer with it.
        start = round(FIELD * ZOOM / 2 - mass)
        place.append(min(max(start, 0), FIELD * ZOOM - side))
    top, left = place
    field[top : top + grid.shape[0], left : left + grid.shape[1]] = grid
    return np.clip(AVERAGE @ field @ AVERAGE.T, 0.0, 1.0)
