"""Reduce an image to grey levels and tell ink from background: dark on light, light on dark, or on transparent.

What lies along the border is the background. Its level settles the polarity (pencil or chalk); in a photo's uneven
light, a coarse map of the background replaces the level. Levels are 0..255, boxes are (left, top, right, bottom) in
pixels.
"""

from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from recognition.errors import BlankDrawing
from recognition.imaging.decoding.frames import MIN_CONTRAST, OVERVIEW_SIDE
from recognition.imaging.scaling import Box, Levels, Pixels

SAMPLE_SIDE = 70  # samples a side that determine the level behind a transparent image
MARGIN = 8  # pixels kept on every side of what is visible
MIN_CROP_SIDE = 200  # pixels a side; cropping a smaller image gains nothing

INK_THRESHOLD = 0.25  # the fraction of the ink's contrast above which a pixel is ink
MAX_SPECKS = 3  # this many pixels of an extreme level are not taken for ink or background
UNEVEN = 8  # levels between the border's 20th and 80th percentile above which the light is uneven

Mask = NDArray[np.bool_]
IntBox = tuple[int, int, int, int]


def bounding_box(mask: Mask | Levels) -> IntBox:
    """Return the box of what is set in a mask. Raises BlankDrawing if nothing is."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    if not width:
        raise BlankDrawing
    return left, top, left + width, top + height


def is_ink(levels: Levels) -> Mask:
    """Return where ink, 0 on paper, has more than a third of its strongest level."""
    return levels > int(levels.max()) // 3


def enclose(one: IntBox, other: IntBox) -> IntBox:
    """Return the smallest box around two."""
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def longer_side(box: tuple[float, ...]) -> float:
    return max(box[2] - box[0], box[3] - box[1])


def grow(box: Box, by: float, size: tuple[int, int]) -> Box:
    """Return a box with `by` pixels more on every side, as far as the image of `size` reaches."""
    left, top, right, bottom = box
    return max(left - by, 0), max(top - by, 0), min(right + by, size[0]), min(bottom + by, size[1])


def to_grey(pixels: Pixels) -> tuple[Levels, tuple[int, int]]:
    """Convert an image to grey levels. Transparency gets a background; transparent edges may be cropped.

    Return the levels and where their left top corner lies in the image.

    Raises BlankDrawing if nothing is visible, or only an empty page.
    """
    corner = 0, 0
    if pixels.ndim == 2:
        return pixels, corner
    if pixels.shape[2] in (2, 4) and not is_opaque(pixels):
        return flatten(pixels)
    grey = to_levels(pixels)
    if pixels.shape[2] > 2:
        low, high = extremes(grey)
        if high - low < 4 * MIN_CONTRAST:
            # Colours of similar brightness, such as red on green: one band may show what their mix hides.
            bands = [band_of(pixels, number) for number in range(3)]
            contrasts = [top - bottom for bottom, top in map(extremes, bands)]
            if max(contrasts) > 2 * (high - low):
                return bands[contrasts.index(max(contrasts))], corner
    return grey, corner


def is_opaque(pixels: Pixels) -> bool:
    """Whether the last band is 255 everywhere. Of numbers of all bands, its byte is the highest one."""
    if pixels.shape[2] == 4 and pixels.flags.c_contiguous:
        return int(pixels.view("<u4").min()) >= 255 << 24  # a quarter of the time
    return int(pixels[..., -1].min()) == 255


def flatten(pixels: Pixels) -> tuple[Levels, tuple[int, int]]:
    """Return an image with transparency on a background, cropped if much of it is empty, and its corner.

    Raises BlankDrawing if nothing is visible, or only an empty page.
    """
    corner, alpha = (0, 0), band_of(pixels, -1)
    height, width = alpha.shape
    box = grow(bounding_box(alpha), MARGIN, (width, height))
    share = (box[2] - box[0]) * (box[3] - box[1]) / alpha.size
    if share < 0.5 and max(alpha.shape) > MIN_CROP_SIDE:  # otherwise cropping costs more than it saves
        left, top, right, bottom = (int(side) for side in box)
        corner = left, top
        pixels, alpha = pixels[top:bottom, left:right], alpha[top:bottom, left:right]
    grey = to_levels(pixels)
    level = level_behind(grey, alpha, int(alpha.max()), blank_if_even=share > 0.8)
    behind = cv2.convertScaleAbs(cv2.bitwise_not(alpha), alpha=level / 255)
    return np.asarray(cv2.add(cv2.multiply(grey, alpha, scale=1 / 255), behind), np.uint8), corner


def to_levels(pixels: Pixels) -> Levels:
    """Return the brightness of grey and alpha, RGB or RGBA; transparency does not count."""
    if pixels.shape[2] == 2:
        return band_of(pixels, 0)
    code = cv2.COLOR_RGB2GRAY if pixels.shape[2] == 3 else cv2.COLOR_RGBA2GRAY
    return np.asarray(cv2.cvtColor(pixels, code), np.uint8)


def band_of(pixels: Pixels, number: int) -> Levels:
    """Return one band of an image."""
    return np.ascontiguousarray(pixels[..., number])


def extremes(band: Levels) -> tuple[int, int]:
    """Return the lowest and the highest level of a band."""
    lowest, highest, _, _ = cv2.minMaxLoc(band)
    return int(lowest), int(highest)


def level_behind(grey: Levels, alpha: Levels, strongest: int, blank_if_even: bool) -> int:
    """Return the level to put behind a transparent image: that of its own page, or one its ink stands out from.

    `strongest` is the highest level of `alpha`; with `blank_if_even`, an even page is empty rather than thick ink.
    Raises BlankDrawing if nothing is visible, or only an empty page.
    """
    if strongest < MIN_CONTRAST:
        raise BlankDrawing
    # Every n-th pixel rather than an average: transparent pixels have a colour too, which must not mix in.
    step = -(-max(grey.shape) // SAMPLE_SIDE)
    visible = subsample(alpha, step) > strongest // 2
    if not visible.any():  # the marks are too few and too fine for the samples
        step, visible = 1, alpha > strongest // 2
    levels = np.sort(subsample(grey, step)[visible])
    if is_page(visible):
        edge = len(levels) // 100
        if blank_if_even or int(levels[-1 - edge]) - int(levels[edge]) >= MIN_CONTRAST:
            if int(levels[-1]) - int(levels[0]) < MIN_CONTRAST:
                raise BlankDrawing
            return int(levels[len(levels) // 2])
    # Dark ink, also with white over what was erased, gets white; light ink gets black.
    return 255 if levels[len(levels) // 20] < 128 else 0


def is_page(visible: Mask) -> bool:
    """Whether the visible part is a page (straight, turned or round) rather than a stroke: it fills its own outline."""
    left, top, right, bottom = bounding_box(visible)
    height, width = bottom - top, right - left
    area, shorter, longer = int(visible.sum()), min(height, width), max(height, width)
    if shorter <= 6:
        return False
    if area > 0.9 * height * width and shorter > 0.3 * longer:
        return True
    is_large = area > 0.45 * height * width and shorter > 0.5 * longer
    return is_large and area > 0.97 * max(row_spans(visible), row_spans(visible.T))


def row_spans(visible: Mask) -> int:
    """Return the number of pixels from the first to the last visible one of every row."""
    rows = visible[visible.any(axis=1)]
    return int((rows.shape[1] - rows[:, ::-1].argmax(axis=1) - rows.argmax(axis=1)).sum())


def subsample(band: Levels, step: int) -> Levels:
    """Return every `step`th pixel of a band in both directions."""
    if step == 1:
        return band
    rows, columns = (
        ((np.arange(count) + 0.5) * side / count).astype(int)
        for side, count in ((side, -(-side // step)) for side in band.shape)
    )
    return band[rows[:, None], columns]


def find_polarity(levels: Levels) -> tuple[bool, int, int]:
    """Return (whether the ink is dark, the background's level, how far it varies along the border of the image).

    Raises BlankDrawing if the levels differ too little.
    """
    if levels.size < MAX_SPECKS:
        raise BlankDrawing  # the inside of a sheet of a few pixels
    darkest, brightest = robust_extremes(levels)
    if brightest - darkest < MIN_CONTRAST:
        raise BlankDrawing
    border = np.sort(np.concatenate((levels[0], levels[-1], levels[1:-1, 0], levels[1:-1, -1])))
    middle = (darkest + brightest) // 2
    split = int(np.searchsorted(border, middle, side="right"))
    bright_share = 1 - split / len(border)
    if 0.35 < bright_share < 0.65:
        # The ink covers much of the border, as in a tight crop: the larger area is the background.
        bright_share = np.count_nonzero(levels > middle) / levels.size
    side = border[split:] if bright_share >= 0.5 else border[:split]
    if not len(side):
        side = border
    background = int(side[len(side) // 2])
    variation = int(border[len(border) * 4 // 5]) - int(border[len(border) // 5])
    return background - darkest >= brightest - background, background, variation


def robust_extremes(levels: Levels) -> tuple[int, int]:
    """Return the darkest and the brightest level that MAX_SPECKS pixels reach."""
    lowest, highest = extremes(levels)
    if min(np.count_nonzero(levels == lowest), np.count_nonzero(levels == highest)) >= MAX_SPECKS:
        return lowest, highest
    ranked = np.partition(levels, (MAX_SPECKS - 1, levels.size - MAX_SPECKS), axis=None)
    return int(ranked[MAX_SPECKS - 1]), int(ranked[-MAX_SPECKS])


def binarize(overview: Levels) -> tuple[Mask, bool, int | Levels]:
    """Return (which pixels are ink, whether the ink is dark, the background: its level, or a map in uneven light).

    Raises BlankDrawing if the ink does not stand out from the background or its noise.
    """
    is_dark, level, variation = find_polarity(overview)
    is_uneven = variation >= UNEVEN and min(overview.shape) > OVERVIEW_SIDE // 4
    background = background_map(overview, is_dark) if is_uneven else level
    ink = subtract_background(overview, is_dark, background)
    contrast = int(np.partition(ink, -MAX_SPECKS, axis=None)[-MAX_SPECKS] if is_uneven else ink.max())
    if contrast < MIN_CONTRAST:
        raise BlankDrawing
    threshold = max(0.4 * contrast, 2 * float(ink.std())) if is_uneven else INK_THRESHOLD * contrast
    return ink >= ceil(threshold), is_dark, background


def background_map(overview: Levels, is_dark: bool) -> Levels:
    """Estimate the light on the background: a morphological closing (for dark ink) or opening, then smoothing.

    It removes everything narrower than a quarter of the image.
    """
    height, width = overview.shape
    scale = 48 / max(height, width)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    coarse = np.asarray(Image.fromarray(overview).resize(size, Image.Resampling.BOX))
    operation = cv2.MORPH_CLOSE if is_dark else cv2.MORPH_OPEN
    bare = Image.fromarray(np.asarray(cv2.morphologyEx(coarse, operation, np.ones((13, 13), np.uint8)), np.uint8))
    return np.asarray(bare.filter(ImageFilter.GaussianBlur(2)).resize((width, height), Image.Resampling.BICUBIC))


def subtract_background(levels: Levels, is_dark: bool, background: int | Levels) -> Levels:
    """Return the ink alone: 0 where there is background, brighter with more ink."""
    level = np.full(levels.shape, background, np.uint8) if isinstance(background, int) else background
    return np.asarray(cv2.subtract(level, levels) if is_dark else cv2.subtract(levels, level), np.uint8)
