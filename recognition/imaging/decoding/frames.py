"""Decode an image file with Pillow: the first frame that shows ink, in a mode without palette.

isolation.py runs this file as a script, so it imports only Pillow and the standard library: it starts in 70 ms.
"""

import resource
import struct
import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO

from PIL import Image, ImageOps

# What Pillow raises for damaged data, and warnings where they are errors. MemoryError and OverflowError come from
# absurd lengths, ValueError to AssertionError from plugins that trust a field.
DAMAGE = (OSError, EOFError, SyntaxError, MemoryError, OverflowError, struct.error, zlib.error, Warning) + (
    *(ValueError, TypeError, IndexError, KeyError, AssertionError, RuntimeError),
    Image.DecompressionBombError,
)
REDUCED_SIDE = 800  # pixels; a picture is reduced as long as its shorter side keeps these
MAX_FACTOR = 8  # the most by which JPEG can decode reduced
OVERVIEW_SIDE = 200  # pixels a side, at most, of the picture in which ink is looked for
MIN_CONTRAST = 24  # levels between ink and background

# Of the process in which this file is a script. The largest photo takes 0.9 s and 420 MiB of addresses, 300 in use.
MAX_SECONDS = 3
MAX_MEMORY_BYTES = 512 * 2**20


def decode(data: bytes, image_format: str, frames: int, pixels: int) -> Image.Image:
    """Return the first of `frames` frames that shows ink, or the first one. Raises one of DAMAGE.

    Args:
        image_format: Pillow's name for it.
        pixels: the most that may be decoded, all frames together.

    Returns:
        An image of mode L, LA, RGB or RGBA, or one of Pillow's modes of more than 8 bits. A JPEG may be reduced.
    """
    first = None
    try:
        for frame in decode_frames(data, image_format, frames, pixels):
            if frames == 1 or shows_ink(frame):
                return frame
            first = first or frame
    except DAMAGE:  # in a later frame, for which there is no need
        if first is None:
            raise
    if first is None:
        raise ValueError("not the size that the header declares")
    return first


def decode_frames(data: bytes, image_format: str, frames: int, pixels: int) -> Iterator[Image.Image]:
    """Yield the first frames, each an image of its own, until they have more than `pixels` pixels."""
    image = Image.open(BytesIO(data), formats=[image_format])
    for number in range(frames):
        if number:
            image.seek(number)
        pixels -= image.width * image.height
        if pixels < 0:
            return
        factor = reduction(*image.size)
        image.draft(image.mode, (image.width // factor, image.height // factor))
        image.load()
        plain = to_plain_mode(image)
        yield plain.copy() if plain is image and frames > 1 else plain


def to_plain_mode(image: Image.Image) -> Image.Image:
    """Convert a mode of 8 bits to L, LA, RGB or RGBA. Palettes and transparent colours are resolved."""
    if is_deep(image):
        return image
    is_grey = image.mode in ("1", "L", "LA", "La")
    mode = ("L" if is_grey else "RGB") + ("A" if image.has_transparency_data else "")
    return image if image.mode == mode else image.convert(mode)


def is_deep(image: Image.Image) -> bool:
    """Whether an image has more than 8 bits, integers or floats; its conversion by Pillow would clip, not scale."""
    return image.mode[0] in "IF"


def shows_ink(image: Image.Image) -> bool:
    """Whether a frame is more than a single level or colour, seen from afar."""
    if is_deep(image):
        return True
    overview = image.reduce(max(max(image.size) // OVERVIEW_SIDE, 1))
    if overview.mode in ("LA", "RGBA"):  # the colour of transparent pixels is not seen
        overview = overview.convert(overview.mode.replace("A", "a"))
    histograms = [band.histogram() for band in overview.split()]
    used = [[level for level, number in enumerate(histogram) if number] for histogram in histograms]
    return any(levels[-1] - levels[0] >= MIN_CONTRAST for levels in used)


def reduction(width: int, height: int) -> int:
    """Return by how much an image of that size is reduced: 1, 2, 4 or 8."""
    factor = 1
    while factor < MAX_FACTOR and min(width, height) // (2 * factor) >= REDUCED_SIDE:
        factor *= 2
    return factor


def reduce(image: Image.Image) -> Image.Image:
    """Return the image reduced, if it is larger than needed."""
    factor = reduction(*image.size)
    return image if factor == 1 or is_deep(image) else image.reduce(factor)


def limit(what: int, most: int) -> None:
    """Lower a limit of this process. macOS does not know all of them."""
    with suppress(OSError, ValueError):
        resource.setrlimit(what, (most, most))


def main() -> None:
    """Decode the file on standard input. Write the image's mode, width and height as a line, then its pixels."""
    image_format, frames, pixels = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if image_format == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
    elif image_format == "AVIF":
        from PIL import AvifImagePlugin

        AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    limit(resource.RLIMIT_CPU, MAX_SECONDS)
    limit(resource.RLIMIT_AS, MAX_MEMORY_BYTES)
    limit(resource.RLIMIT_FSIZE, 0)
    limit(resource.RLIMIT_CORE, 0)
    image = ImageOps.exif_transpose(reduce(decode(sys.stdin.buffer.read(), image_format, frames, pixels)))
    sys.stdout.buffer.write(b"%s %d %d\n" % (image.mode.encode(), *image.size))
    sys.stdout.buffer.write(image.tobytes())


if __name__ == "__main__":
    main()
