"""Bytes from a stranger -> a checked Pillow picture.

The declared size is read from the header (`containers`) before Pillow sees the data, so that a picture that would
unfold into gigabytes costs nothing; and Pillow sees nothing but what makes the picture.
"""

from __future__ import annotations

import base64
import re
import struct
import zlib
from io import BytesIO

import numpy as np
from PIL import Image

from recognition.errors import (
    CorruptImage,
    EmptyImage,
    ImageTooLarge,
    ImageTooSmall,
    InvalidBase64,
    InvalidDataURL,
    RecognitionError,
)
from recognition.imaging.containers import declared_size, jpeg_exif, orientation, picture_parts, sniff_format

SMALLEST_SIDE = 8
LARGEST_SIDE = 4096

# A photo is decoded at about this size when its format can do so (JPEG, in steps of 1/2, 1/4, 1/8).
DRAFT_SIDE = 800

# What Pillow raises for damaged data, besides OSError: SyntaxError and struct.error from the parsers, zlib.error and
# EOFError from compressed or missing parts, MemoryError and OverflowError from absurd lengths, and plain
# ValueError, TypeError, IndexError, KeyError or AssertionError where a plugin trusted a field.
DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    IndexError,
    KeyError,
    AssertionError,
    EOFError,
    OverflowError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Warning,  # where warnings are errors
)

TURNS = {  # by EXIF's orientation
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

DATA_URL_HEAD = re.compile(r"data:[^,]*;base64", re.IGNORECASE)


def decode_data_url(text: str) -> bytes:
    """The bytes inside ``data:image/...;base64,…``; surrounding whitespace is forgiven.

    The media type is not looked at: what the bytes are is decided by the bytes.

    Raises:
        InvalidDataURL: no comma, or not a base64 data URL.
        InvalidBase64: a character outside the alphabet, or wrong padding.
        EmptyImage: nothing after the comma.
    """
    head, comma, body = text.strip().partition(",")
    if not comma or not DATA_URL_HEAD.fullmatch(head.rstrip()):
        raise InvalidDataURL
    body = body.strip()
    if not body:
        raise EmptyImage
    try:
        return base64.b64decode(body, validate=True)
    except ValueError as error:  # binascii.Error, and non-ASCII text
        raise InvalidBase64 from error


def read_image(data: bytes) -> Image.Image:
    """Decode a PNG, JPEG or WebP of 8x8 to 4096x4096 pixels into an upright picture of mode L, LA, RGB or RGBA.

    Of an animation the first picture is taken. A JPEG much larger than needed comes back reduced.

    Raises:
        EmptyImage, UnsupportedImage, CorruptImage, ImageTooLarge, ImageTooSmall.
    """
    if not data:
        raise EmptyImage
    image_format = sniff_format(data)
    try:
        check_size(declared_size(data, image_format))
        image = Image.open(BytesIO(picture_parts(data, image_format)), formats=[image_format])
        check_size(image.size)
        image.draft(image.mode, (DRAFT_SIDE, DRAFT_SIDE))
        image.load()
        exif = jpeg_exif(data) if image_format == "JPEG" else image.info.get("exif", b"")
        return plain_mode(upright(image, orientation(exif)))
    except DAMAGE as error:
        raise CorruptImage from error


def check_size(size: tuple[int, int]) -> None:
    """Refuse a (width, height) in pixels that is out of bounds."""
    if max(size) > LARGEST_SIDE:
        raise ImageTooLarge
    if min(size) < SMALLEST_SIDE:
        raise ImageTooSmall


def pixels(data: bytes) -> int:
    """How many pixels a picture's header declares; 0 where `read_image` will refuse it unread."""
    try:
        size = declared_size(data, sniff_format(data))
        check_size(size)
    except (RecognitionError, struct.error):
        return 0
    return size[0] * size[1]


def upright(image: Image.Image, held: int) -> Image.Image:
    """Turn a photo the way its camera was held: EXIF's orientation."""
    turn = TURNS.get(held)
    return image if turn is None else image.transpose(turn)


def plain_mode(image: Image.Image) -> Image.Image:
    """Any decoded mode as L, LA, RGB or RGBA of 8 bits, palettes and transparent colours resolved."""
    if image.mode.startswith("I"):  # 16-bit grey; Pillow's own conversion would clip instead of scale
        levels = np.asarray(image, dtype=np.int32) >> 8
        return Image.fromarray(levels.clip(0, 255).astype(np.uint8))
    grey = image.mode in ("1", "L", "LA", "La")
    mode = ("L" if grey else "RGB") + ("A" if image.has_transparency_data else "")
    return image if image.mode == mode else image.convert(mode)
