"""Tell ink from paper in photos: specks, desks, shadows, faint and uneven ink.

Everything is done at a working size. Masks are bool [height, width], levels 0..255; the ink is dark.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.imaging.components import number_components
from recognition.imaging.polarity import Mask
from recognition.imaging.scaling import Levels, reduce

WORKING_SIDE = 160  # pixels of the longer side; enough for a digit of a third of it
MAX_ENLARGEMENT = 3.0

SPECK_CONTRAST = 25  # levels between a speck and all its neighbours
MAX_SPECK_SHARE = 0.002  # of the pixels; more is dirt or noise

BROADEST_STROKE = 0.16  # share of the longer side; anything broader and dark is not ink
MIN_STEP = 35  # levels between paper and what it lies on
MIN_PAPER = 0.12  # share of the image
MIN_SHEET_FILL = 0.83  # share of the smallest rectangle around it
MIN_INK = 8  # levels
STRENGTHENING = 1.05  # a factor; the middle of a stroke becomes full ink in spite of noise
NOISE_FACTOR = 4.5  # the least contrast of ink, in standard deviations of the paper's grain

BROAD = cv2.getGaussianKernel(25, 4)

Ink = NDArray[np.float32]


@dataclass(frozen=True)
class InkMap:
    """Where the ink is: `strength` float32 [height, width], 1.0 in the middle of every stroke, pale or dark."""

    strength: Ink
    mask: Mask
    paper: Mask
    on_desk: bool  # something that is not paper was found at the border
    is_sheet: bool  # the paper on it is a rectangle

    def extract(self, kept: Mask, rest: Mask, diameter: float) -> Levels:
        """Return the ink of `kept` with the paler edges of its strokes, 255 in their middle.

        Args:
            kept: bool [height, width]; every pixel under a disc of `diameter` pixels on it counts.
            rest: the mask without the lines that were erased; their pixels stay empty.
        """
        near = cv2.dilate(kept.astype(np.uint8), disc(diameter)).astype(bool) & ~(self.mask & ~rest)
        strength = np.minimum(self.strength * STRENGTHENING, 1) * near
        return np.asarray(strength * 255, np.uint8)


def disc(diameter: float) -> Levels:
    """Return a round structuring element of an odd diameter in pixels."""
    side = max(int(diameter) | 1, 3)
    element: Levels = np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
    return element


def remove_specks(levels: Levels) -> Levels:
    """Return the median of every pixel's neighbourhood if many pixels differ from all their neighbours."""
    around = np.ones((3, 3), np.uint8)
    around[1, 1] = 0
    dark = cv2.subtract(cv2.erode(levels, around), levels) > SPECK_CONTRAST
    bright = cv2.subtract(levels, cv2.dilate(levels, around)) > SPECK_CONTRAST
    is_dirty = np.count_nonzero(dark | bright) > MAX_SPECK_SHARE * levels.size
    return np.asarray(cv2.medianBlur(levels, 3), np.uint8) if is_dirty else levels


def border_of(levels: Levels) -> Levels:
    """Return the levels along the four sides of an image."""
    return np.concatenate((levels[0], levels[-1], levels[:, 0], levels[:, -1]))


def dark_share(border: Levels, levels: Levels) -> float:
    """Return the share of the border that is darker than the middle of an image's range of levels."""
    return float((border < (int(levels.min()) + int(levels.max())) / 2).mean())


def to_working_size(
    levels: Levels, side: int = WORKING_SIDE, enlargement: float = MAX_ENLARGEMENT
) -> tuple[Levels, float]:
    """Return the image with a longer side of `side`, and its pixels for each pixel of `levels` along a side."""
    height, width = levels.shape
    scale = min(side / max(height, width), enlargement)
    size = max(round(width * scale), 8), max(round(height * scale), 8)
    while max(levels.shape) > 4 * side:  # a tenth of the time that a single step takes
        levels = reduce(levels, 2)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(levels, size, interpolation=interpolation), np.uint8), scale


def map_ink(levels: Levels, *, everywhere: bool = False) -> InkMap | None:
    """Return the dark ink on the largest bright paper in an image, or None if there is no paper or no ink.

    With `everywhere`, the whole image is paper.

    The threshold follows the paper's grain and the ink nearby, so that faint and uneven strokes stay whole (a local
    threshold as in Sauvola and Pietikainen, "Adaptive document image binarization", 2000).
    """
    bare, levels = clip_highlights(close_ink(levels), levels)
    paper, on_desk = (np.ones(levels.shape, bool), False) if everywhere else find_paper(bare)
    inside = shrink(paper, 9) if on_desk else paper
    if inside.mean() < MIN_PAPER or (on_desk and shrink(paper, BROADEST_STROKE * max(paper.shape)).mean() < 0.05):
        return None
    light = cv2.sepFilter2D(bare, -1, BROAD, BROAD)  # a sixth of the time of GaussianBlur
    ink = cv2.subtract(light, levels).astype(np.float32)
    on_paper = ink[inside][::4]
    grain = float(np.median(on_paper))
    noise = 1.4826 * float(np.median(np.abs(on_paper - grain))) + 0.3
    ink = np.maximum(ink - np.float32(grain), 0) * inside
    smooth = cv2.GaussianBlur(ink, (0, 0), 1.0)
    sample = smooth[::2, ::2].ravel()
    # Two places, because for one alone NumPy takes thirty times as long where most values are equal.
    contrast = float(np.partition(sample, (len(sample) - 10, len(sample) - 1))[-10])
    if contrast < max(MIN_INK, NOISE_FACTOR * noise):
        return None
    weakest, strongest = max(3.2 * noise, 0.13 * contrast, 4.0), max(0.28 * contrast, 5 * noise)
    nearby = cv2.GaussianBlur(cv2.dilate(smooth, disc(13)), (0, 0), 3)
    strength = np.minimum(ink / np.maximum(nearby, np.float32(0.8 * strongest)), 1)
    mask = keep_strong((strength > 0.42) & (smooth > weakest), smooth >= strongest)
    return (
        InkMap(strength, mask, inside, on_desk, on_desk and is_rectangular(paper))
        if mask.any() and mask.mean() < 0.5
        else None
    )


def close_ink(levels: Levels) -> Levels:
    """Return the image without dark strokes: a morphological closing, at a third of the size."""
    height, width = levels.shape
    radius = int(BROADEST_STROKE / 2 * max(height, width) / 3) + 1
    small = cv2.resize(levels, (-(-width // 3), -(-height // 3)), interpolation=cv2.INTER_AREA)
    framed = cv2.copyMakeBorder(small, radius, radius, radius, radius, cv2.BORDER_REPLICATE)
    bare = cv2.morphologyEx(framed, cv2.MORPH_CLOSE, disc(2 * radius - 1))[radius:-radius, radius:-radius]
    return np.asarray(cv2.resize(bare, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def clip_highlights(bare: Levels, levels: Levels) -> tuple[Levels, Levels]:
    """Return both images without reflections: what is brighter than the paper and smaller than the least of it."""
    sample = np.sort(bare[::3, ::3], axis=None)
    brightest = min(int(sample[int((1 - MIN_PAPER) * (len(sample) - 1))]) + MIN_STEP // 2, 255)
    return np.minimum(bare, brightest), np.minimum(levels, brightest)


def find_paper(bare: Levels) -> tuple[Mask, bool]:
    """Return the largest bright area of an image without strokes, and whether it ends in a step rather than a slope."""
    everywhere = np.ones(bare.shape, bool)
    sample = np.sort(bare[::3, ::3], axis=None)
    if int(sample[-1 - len(sample) // 100]) - int(sample[len(sample) // 100]) <= MIN_STEP:
        return everywhere, False
    threshold, bright = cv2.threshold(bare, 0, 255, cv2.THRESH_OTSU)
    split = int(np.searchsorted(sample, threshold, side="right"))
    if split in (0, len(sample)):
        return everywhere, False
    desk, sheet = float(sample[split // 2]), float(sample[(split + len(sample)) // 2])
    step = sheet - desk
    between = np.count_nonzero((sample > desk + 0.25 * step) & (sample < sheet - 0.25 * step))
    if step <= 0.85 * MIN_STEP or between > 0.2 * len(sample):
        return everywhere, False
    labels, stats = number_components(np.asarray(bright, np.uint8), connectivity=4)
    return fill_holes(labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))), True


def is_rectangular(mask: Mask) -> bool:
    """Whether a mask fills a rectangle, turned or not, as a sheet does and an ellipse, 0.785 of it, does not."""
    _, size, _ = cv2.minAreaRect(cv2.findNonZero(mask.astype(np.uint8)))
    return bool(np.count_nonzero(mask) > MIN_SHEET_FILL * max(size[0] * size[1], 1.0))


def fill_holes(mask: Mask) -> Mask:
    """Return a mask with all that it encloses."""
    framed = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    cv2.floodFill(framed, None, (0, 0), 2)
    filled: Mask = np.asarray(framed[1:-1, 1:-1] != 2)
    return filled


def shrink(mask: Mask, diameter: float) -> Mask:
    """Erode a mask, except along the border of the image."""
    eroded: Mask = cv2.erode(
        mask.astype(np.uint8), disc(diameter), borderType=cv2.BORDER_CONSTANT, borderValue=1
    ).astype(bool)
    return eroded


def keep_strong(mask: Mask, strong: Mask) -> Mask:
    """Return the components of a mask that hold a strong pixel and at least eight pixels (hysteresis)."""
    labels, stats = number_components(mask)
    keep = np.bincount(labels[mask & strong], minlength=len(stats)) > 0
    keep &= stats[:, cv2.CC_STAT_AREA] >= 8
    keep[0] = False
    return keep[labels]
