"""Reduce an image to grey levels and tell ink from background: dark on light, light on dark, or on transparent.

What lies along the border is the background. Its level settles the polarity (pencil or chalk); in a photo's uneven
light, a coarse map of the background replaces the level. Levels are 0..255, boxes are (left, top, right, bottom) in
pixels.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from recognition.errors import BlankDrawing
from recognition.imaging.decoding.frames import MIN_CONTRAST, OVERVIEW_SIDE

SAMPLE_SIDE = 70  # samples a side that determine the level behind a transparent image
MARGIN = 8  # pixels kept on every side of what is visible
MIN_CROP_SIDE = 200  # pixels a side; cropping a smaller image gains nothing

INK_THRESHOLD = 0.25  # the fraction of the ink's contrast above which a pixel is ink
MAX_SPECKS = 3  # this many pixels of an extreme level are not taken for ink or background
UNEVEN = 8  # levels between the border's 20th and 80th percentile above which the light is uneven

Mask = NDArray[np.bool_]
Levels = NDArray[np.uint8]
Box = tuple[float, float, float, float]
IntBox = tuple[int, int, int, int]


def bounding_box(mask: Mask) -> tuple[int, int, int, int]:
    """Return the box of what is set in a mask. Raises BlankDrawing if nothing is."""
    down, across = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(down):
        raise BlankDrawing
    return int(across[0]), int(down[0]), int(across[-1]) + 1, int(down[-1]) + 1


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


def to_grey(image: Image.Image) -> tuple[Image.Image, tuple[int, int]]:
    """Convert mode L, LA, RGB or RGBA to L. Transparency gets a background; transparent edges may be cropped.

    Return the grey image and where its left top corner lies in `image`.

    Raises BlankDrawing if nothing is visible, or only an empty page.
    """
    corner = 0, 0
    if image.mode in ("LA", "RGBA"):
        visible = image.getbbox(alpha_only=True)
        if visible is None:
            raise BlankDrawing
        box = grow(visible, MARGIN, image.size)
        share = (box[2] - box[0]) * (box[3] - box[1]) / (image.width * image.height)
        if share < 0.5 and max(image.size) > MIN_CROP_SIDE:  # otherwise cropping costs more than it saves
            image, corner = image.crop(box), (int(box[0]), int(box[1]))
        alpha = image.getchannel("A")
        weakest, strongest = extremes(alpha)
        if weakest < 255:
            grey = image.convert("L")
            level = level_behind(grey, alpha, strongest, blank_if_even=share > 0.8)
            filled = Image.new("L", grey.size, level)
            filled.paste(grey, mask=alpha)
            return filled, corner
    grey = image.convert("L")
    if image.mode in ("RGB", "RGBA"):
        low, high = extremes(grey)
        if high - low < 4 * MIN_CONTRAST:
            # Colours of similar brightness, such as red on green: one band may show what their mix hides.
            bands = image.split()[:3]
            contrasts = [top - bottom for bottom, top in map(extremes, bands)]
            if max(contrasts) > 2 * (high - low):
                return bands[contrasts.index(max(contrasts))], corner
    return grey, corner


def extremes(band: Image.Image) -> tuple[int, int]:
    """Return the lowest and the highest level of a band (getextrema takes three times as long)."""
    levels = np.asarray(band)
    return int(levels.min()), int(levels.max())


def level_behind(grey: Image.Image, alpha: Image.Image, strongest: int, blank_if_even: bool) -> int:
    """Return the level to put behind a transparent image: that of its own page, or one its ink stands out from.

    `strongest` is the highest level of `alpha`; with `blank_if_even`, an even page is empty rather than thick ink.
    Raises BlankDrawing if nothing is visible, or only an empty page.
    """
    if strongest < MIN_CONTRAST:
        raise BlankDrawing
    # Every n-th pixel rather than an average: transparent pixels have a colour too, which must not mix in.
    step = -(-max(grey.size) // SAMPLE_SIDE)
    visible = subsample(alpha, step) > strongest // 2
    if not visible.any():  # the marks are too few and too fine for the samples
        step, visible = 1, np.asarray(alpha) > strongest // 2
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


def subsample(band: Image.Image, step: int) -> Levels:
    """Return every `step`th pixel of a band in both directions."""
    size = -(-band.width // step), -(-band.height // step)
    return np.asarray(band if step == 1 else band.resize(size, Image.Resampling.NEAREST))


def find_polarity(overview: Image.Image) -> tuple[bool, int, int]:
    """Return (whether the ink is dark, the background's level, how far it varies along the border of the image).

    Raises BlankDrawing if the levels differ too little.
    """
    levels = np.asarray(overview)
    darkest, brightest = robust_extremes(levels)
    if brightest - darkest < MIN_CONTRAST:
        raise BlankDrawing
    border = np.sort(np.concatenate((levels[0], levels[-1], levels[1:-1, 0], levels[1:-1, -1])))
    middle = (darkest + brightest) // 2
    split = int(np.searchsorted(border, middle, side="right"))
    bright_share = 1 - split / len(border)
    if 0.35 < bright_share < 0.65:
        # The ink covers much of the border, as in a tight crop: the larger area is the background.
        bright_share = float((levels > middle).mean())
    side = border[split:] if bright_share >= 0.5 else border[:split]
    if not len(side):
        side = border
    background = int(side[len(side) // 2])
    variation = int(border[len(border) * 4 // 5]) - int(border[len(border) // 5])
    return background - darkest >= brightest - background, background, variation


def robust_extremes(levels: Levels) -> tuple[int, int]:
    """Return the darkest and the brightest level that MAX_SPECKS pixels reach."""
    lowest, highest = levels.min(), levels.max()
    if min(np.count_nonzero(levels == lowest), np.count_nonzero(levels == highest)) >= MAX_SPECKS:
        return int(lowest), int(highest)
    ranked = np.partition(levels, (MAX_SPECKS - 1, levels.size - MAX_SPECKS), axis=None)
    return int(ranked[MAX_SPECKS - 1]), int(ranked[-MAX_SPECKS])


def binarize(overview: Image.Image) -> tuple[Mask, bool, int | Image.Image]:
    """Return (which pixels are ink, whether the ink is dark, the background: its level, or a map in uneven light).

    Raises BlankDrawing if the ink does not stand out from the background or its noise.
    """
    is_dark, level, variation = find_polarity(overview)
    is_uneven = variation >= UNEVEN and min(overview.size) > OVERVIEW_SIDE // 4
    background = background_map(overview, is_dark) if is_uneven else level
    ink = subtract_background(np.asarray(overview), is_dark, np.asarray(background) if is_uneven else level)
    contrast = float(np.partition(ink, -MAX_SPECKS, axis=None)[-MAX_SPECKS] if is_uneven else ink.max())
    if contrast < MIN_CONTRAST:
        raise BlankDrawing
    threshold = max(0.4 * contrast, 2 * float(ink.std())) if is_uneven else INK_THRESHOLD * contrast
    return ink >= threshold, is_dark, background


def background_map(overview: Image.Image, is_dark: bool) -> Image.Image:
    """Estimate the light on the background: a morphological closing (for dark ink) or opening, then smoothing.

    It removes everything narrower than a quarter of the image.
    """
    scale = 48 / max(overview.size)
    size = (max(round(overview.width * scale), 1), max(round(overview.height * scale), 1))
    coarse = overview.resize(size, Image.Resampling.BOX)
    dilate, erode = ImageFilter.MaxFilter(13), ImageFilter.MinFilter(13)
    bare = coarse.filter(dilate).filter(erode) if is_dark else coarse.filter(erode).filter(dilate)
    return bare.filter(ImageFilter.GaussianBlur(2)).resize(overview.size, Image.Resampling.BICUBIC)


def subtract_background(levels: Levels, is_dark: bool, background: int | Levels) -> Levels:
    """Return the ink alone: 0 where there is background, brighter with more ink."""
    level: Levels = np.asarray(background, dtype=np.uint8)
    return level - np.minimum(levels, level) if is_dark else np.maximum(levels, level) - level
