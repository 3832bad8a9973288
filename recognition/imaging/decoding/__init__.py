"""Decode untrusted image bytes into pixels.

The size is read from the header before Pillow sees the data, so an image that would unfold into gigabytes costs
nothing. Of PNG, JPEG and GIF, Pillow gets only the parts that make up the image: it would unpack a compressed comment
of a gigabyte, and walk through 250,000 empty segments in Python. HEIC, AVIF and TIFF are decoded in a process of their
own.
"""

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from recognition.errors import (
    MAX_JPEG_PIXELS,
    MAX_PHOTO_PIXELS,
    MAX_SIDE,
    MIN_SIDE,
    CorruptImage,
    EmptyImage,
    ImageTooLarge,
    ImageTooSmall,
    UnsupportedImage,
)
from recognition.imaging.decoding import bmp, frames, gif, isobmff, isolation, jpeg, levels, png, tiff, webp
from recognition.imaging.decoding.exif import turn_upright
from recognition.imaging.scaling import Pixels

MAX_FRAMES = 8  # frames in which ink is looked for
MAX_PIXELS = MAX_SIDE**2  # of an image, and of all frames that are looked at
ISOLATED_PIXELS = 1_000_000  # starting a process takes as long as decoding these


def whole(data: bytes, frame_count: int) -> Iterable[bytes]:
    return (data,)


@dataclass(frozen=True)
class Format:
    """How to read a format: its size, how many frames it may have, and the parts that make up the first of them.

    `max_pixels` is set where a photo may be larger than MAX_SIDE, because it is reduced.
    """

    size: Callable[[bytes], tuple[int, int]]
    parts: Callable[[bytes, int], Iterable[bytes]] = whole
    frames: Callable[[bytes], int] = lambda data: 1
    max_pixels: int | None = None
    is_isolated: bool = False


# By Pillow's names.
FORMATS = {
    "PNG": Format(png.size, png.image_chunks, lambda data: MAX_FRAMES if png.is_animated(data) else 1),
    "JPEG": Format(jpeg.size, jpeg.image_segments, max_pixels=MAX_JPEG_PIXELS),
    "WEBP": Format(webp.size, frames=lambda data: MAX_FRAMES if webp.is_animated(data) else 1),
    "GIF": Format(gif.size, gif.image_parts, lambda data: gif.frame_count(data, MAX_FRAMES)),
    "BMP": Format(bmp.size, bmp.image_parts),
    "TIFF": Format(tiff.size, tiff.image_parts, lambda data: MAX_FRAMES, is_isolated=True),
    "HEIF": Format(isobmff.size, max_pixels=MAX_PHOTO_PIXELS, is_isolated=True),
    "AVIF": Format(isobmff.size, frames=lambda data: MAX_FRAMES, max_pixels=MAX_PHOTO_PIXELS, is_isolated=True),
}


class EncodedImage:
    """An image file with a valid header; its pixels are not decoded yet.

    `format` is Pillow's name for the format, `pixels` the width times the height that the header declares. `cost` is
    what decoding costs: the pixels of all frames that may be looked at, and at least ISOLATED_PIXELS if a process is
    started.
    """

    def __init__(self, data: bytes) -> None:
        """Read the header. Raises EmptyImage, UnsupportedImage, CorruptImage, ImageTooLarge and ImageTooSmall."""
        if not data:
            raise EmptyImage
        self.data, self.format = data, sniff_format(data)
        self._format = FORMATS[self.format]
        try:
            width, height = self._format.size(data)
            check_size(width, height, self._format.max_pixels)
            room = max(MAX_PIXELS // (width * height), 1)
            self._frames = min(self._format.frames(data), MAX_FRAMES, room)
        except (struct.error, IndexError) as error:
            raise CorruptImage from error
        self.pixels = width * height
        self._most = self.pixels if self._frames == 1 else MAX_PIXELS
        self.cost = max(self.pixels * self._frames, ISOLATED_PIXELS if self._format.is_isolated else 0)

    def decode(self) -> Pixels:
        """Return the image, upright: grey, grey and alpha, RGB or RGBA. Raises CorruptImage.

        Of an animation it is the first frame that shows ink. A picture much larger than needed is returned reduced.
        """
        plain = png.decode_plain(self.data) if self.format == "PNG" else None
        return self.decode_by_pillow() if plain is None else plain

    def decode_by_pillow(self) -> Pixels:
        """Return what `decode` returns, without the faster way for plain PNGs. Raises CorruptImage."""
        try:
            data = b"".join(self._format.parts(self.data, self._frames))
            decode = isolation.decode if self._format.is_isolated else frames.decode
            image = decode(data, self.format, self._frames, self._most)
            if frames.is_deep(image):
                image = levels.scale_deep(image)
            elif self.format == "PNG" and png.has_16_bits(self.data):
                image = levels.restore_faint(image, lambda: levels.decode_lower(data))
            check_size(*image.size)
            return np.asarray(turn_upright(frames.reduce(image), self._exif(image)))
        except frames.DAMAGE as error:
            raise CorruptImage from error

    def _exif(self, image: Image.Image) -> bytes:
        if self.format == "PNG":
            return png.exif(self.data)
        return jpeg.exif(self.data) if self.format == "JPEG" else image.info.get("exif", b"")


def sniff_format(data: bytes) -> str:
    """Return Pillow's name for the format that the bytes begin as, even if cut short. Raises UnsupportedImage."""
    if data.startswith(png.SIGNATURE) or (len(data) < 8 and png.SIGNATURE.startswith(data)):
        return "PNG"
    if data.startswith(jpeg.SIGNATURE) or data == jpeg.SIGNATURE[:1]:
        return "JPEG"
    if data[:4] == b"RIFF" and b"WEBP".startswith(data[8:12]):
        return "WEBP"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if data[:2] == b"BM":
        return "BMP"
    if data[:4] in (b"II*\0", b"MM\0*"):
        return "TIFF"
    brands = isobmff.brands(data)
    if brands & isobmff.AVIF_BRANDS:
        return "AVIF"
    if brands & isobmff.HEIC_BRANDS:
        return "HEIF"
    raise UnsupportedImage


def check_size(width: int, height: int, max_pixels: int | None = None) -> None:
    """Raise ImageTooLarge or ImageTooSmall for a size in pixels that is out of bounds.

    With `max_pixels`, the sides count as they are when the picture is reduced.
    """
    factor = frames.reduction(width, height) if max_pixels else 1
    if max(width, height) > MAX_SIDE * factor or width * height > (max_pixels or MAX_PIXELS):
        raise ImageTooLarge
    if min(width, height) < MIN_SIDE:
        raise ImageTooSmall
