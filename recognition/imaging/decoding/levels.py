"""Levels of 16 bits as 8. Faint ink, in a picture that uses a small part of the range, is stretched to all of it.

Pillow keeps 16 bits only of grey. Of colours, and of grey with transparency, it returns the upper bytes. Reading the
same data in the other byte order returns the lower ones.
"""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognition.errors import UnsupportedImage
from recognition.imaging.decoding.frames import MIN_CONTRAST

UPPER = 256  # levels of 16 bits in one of 8
SMALL_RANGE = 2 * MIN_CONTRAST  # of 8 bits; below that, noise may leave too little of the contrast
OVERVIEW_SIDE = 400  # pixels of the averaged picture that is searched for faint ink
GRID_SIDE = 8  # cells a side from which the light on the paper is guessed
MIN_FAINT = 48  # of 65,536 levels
MIN_SIGNAL = 8.0  # ink above noise. The strongest noise is 3 when neighbours are averaged, 5 if it is coarse
MIN_SHARE = 0.125  # of all the difference in the picture; less is what uneven light leaves
MIN_SKEW = 2.5  # ink is only darker or only lighter than paper, coarse noise is both
NOISE_PERCENTILE, NOISE_SCALE = 80, 1.81  # that percentile of two pixels' difference, in deviations of one
GREY_ALPHA, RGBA = 4, 6  # a PNG's types of colour

Deep = NDArray[np.uint16]


def scale_deep(image: Image.Image) -> Image.Image:
    """Convert an image of mode I or I;16 to L. Raises UnsupportedImage for one of floats."""
    if image.mode == "F":
        raise UnsupportedImage("Pictures of floating-point levels cannot be read. Save the picture as a PNG.")
    return Image.fromarray(to_8_bits(np.asarray(image).clip(0, 65535).astype(np.uint16)))


def restore_faint(image: Image.Image, decode_lower: Callable[[], Image.Image]) -> Image.Image:
    """Return an image of the upper bytes; or, if faint ink shows in the lower ones only, that ink as grey levels."""
    upper = np.asarray(image)
    if image.mode == "RGBA" and upper[..., 3].min() < 255:  # ink on a transparent ground shows by its transparency
        return image
    if max(np.ptp(upper[..., band]) for band in range(3)) >= SMALL_RANGE:
        return image
    lower = np.asarray(decode_lower())
    bands = [upper[..., band].astype(np.uint16) << 8 | lower[..., band] for band in range(3)]
    widest = max(bands, key=np.ptp)
    return Image.fromarray(to_8_bits(widest)) if has_faint_ink(widest) else image


def decode_lower(png: bytes) -> Image.Image:
    """Decode a PNG of 16-bit colours, giving the lower bytes. Raises as Pillow does."""
    is_grey = png[25] == GREY_ALPHA
    if is_grey:  # its bytes are those of a picture of four bands of 8 bits
        header = png[12:24] + bytes((8, RGBA)) + png[26:29]
        png = png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:]
    image = Image.open(BytesIO(png), formats=["PNG"])
    image.tile = [tile._replace(args=str(tile.args).replace("16B", "16L")) for tile in image.tile]
    image.load()
    return Image.merge("RGB", [image.getchannel("G")] * 3) if is_grey else image


def to_8_bits(levels: Deep) -> NDArray[np.uint8]:
    """Scale 16-bit levels to 8 bits, or the levels that are used, if they are few and show faint ink."""
    lowest, highest = int(levels.min()), int(levels.max())
    if highest - lowest >= SMALL_RANGE * UPPER or not has_faint_ink(levels):
        return (levels >> 8).astype(np.uint8)
    return ((levels - lowest) * np.float32(255 / (highest - lowest))).astype(np.uint8)


def has_faint_ink(levels: Deep) -> bool:
    """Whether something stands out from the noise and the uneven light of (height, width) levels."""
    step = -(-max(levels.shape) // OVERVIEW_SIDE)
    height, width = (side // step * step for side in levels.shape)
    if min(height, width) < GRID_SIDE * step:
        return False
    blocks = levels[:height, :width].reshape(height // step, step, width // step, step)
    coarse = blocks.mean(axis=(1, 3), dtype=np.float32)
    noise = float(np.percentile(np.abs(np.diff(coarse)), NOISE_PERCENTILE)) / NOISE_SCALE
    rows = coarse[:-2] + coarse[1:-1] + coarse[2:]
    smooth = (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / np.float32(9)
    paper = np.median(smooth)
    picture = Image.fromarray(smooth)
    light = picture.resize((GRID_SIDE, GRID_SIDE), Image.Resampling.BOX).resize(picture.size, Image.Resampling.BICUBIC)
    signal = float(np.ptp(smooth - np.asarray(light)))
    weaker, stronger = sorted((float(smooth.max() - paper), float(paper - smooth.min())))
    is_clear = signal >= max(MIN_FAINT, MIN_SIGNAL * noise, MIN_SHARE * (weaker + stronger))
    return is_clear and stronger >= MIN_SKEW * weaker
