"""Bytes from a stranger -> a checked Pillow picture.

The declared size is read from the header by this module before Pillow sees the data, so that a picture that would
unfold into gigabytes costs nothing. Headers: PNG (W3C PNG, 5.6 and 11.2.1), JPEG (ITU T.81, B.2.2),
WebP (RFC 9649, 2.5 to 2.7).
"""

from __future__ import annotations

import base64
import re
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO

import numpy as np
from PIL import Image

from recognition.exceptions import (
    CorruptImage,
    EmptyImage,
    ImageTooLarge,
    ImageTooSmall,
    InvalidBase64,
    InvalidDataURL,
    RecognitionError,
    UnsupportedImage,
)

SMALLEST_SIDE = 8
LARGEST_SIDE = 4096

# A photo is decoded at about this size when its format can do so (JPEG, in steps of 1/2, 1/4, 1/8).
DRAFT_SIDE = 800

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8"
# The chunks that make the picture. Text, profiles and further animation frames are never shown to Pillow, which
# would unpack them: a compressed profile or comment can be a bomb of its own.
PNG_PICTURE_CHUNKS = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))

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
    Warning,  # where warnings are errors: Pillow warns of bombs and of damaged EXIF
)

EXIF_ORIENTATION = 0x0112
UPRIGHT = {
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
        if image_format == "PNG":
            data = b"".join(picture_chunks(data))
        image = Image.open(BytesIO(data), formats=[image_format])
        check_size(image.size)
        image.draft(image.mode, (DRAFT_SIDE, DRAFT_SIDE))
        image.load()
        return plain_mode(upright(image))
    except DAMAGE as error:
        raise CorruptImage from error


def sniff_format(data: bytes) -> str:
    """Pillow's name of the format the bytes begin as; a beginning cut short counts as that format."""
    if data.startswith(PNG_SIGNATURE) or (len(data) < 8 and PNG_SIGNATURE.startswith(data)):
        return "PNG"
    if data.startswith(JPEG_SIGNATURE) or data == JPEG_SIGNATURE[:1]:
        return "JPEG"
    if data[:4] == b"RIFF" and b"WEBP".startswith(data[8:12]):
        return "WEBP"
    raise UnsupportedImage


def check_size(size: tuple[int, int]) -> None:
    """Refuse a (width, height) in pixels that is out of bounds."""
    if max(size) > LARGEST_SIDE:
        raise ImageTooLarge
    if min(size) < SMALLEST_SIDE:
        raise ImageTooSmall


def declared_size(data: bytes, image_format: str) -> tuple[int, int]:
    """(width, height) in pixels as the header says, read without decoding anything.

    Raises:
        CorruptImage: there is no such header.
        struct.error: the header is cut short.
    """
    reader = {"PNG": _png_size, "JPEG": _jpeg_size, "WEBP": _webp_size}[image_format]
    return reader(data)


def pixels(data: bytes) -> int:
    """How many pixels a picture's header declares; 0 where `read_image` will refuse it unread."""
    try:
        size = declared_size(data, sniff_format(data))
        check_size(size)
    except (RecognitionError, struct.error):
        return 0
    return size[0] * size[1]


def _png_size(data: bytes) -> tuple[int, int]:
    length, kind, width, height = struct.unpack_from(">I4sII", data, 8)
    if kind != b"IHDR" or length != 13:
        raise CorruptImage
    return width, height


def _jpeg_size(data: bytes) -> tuple[int, int]:
    position = 2
    while True:
        (marker,) = struct.unpack_from(">H", data, position)
        if marker < 0xFF00:
            raise CorruptImage
        if marker == 0xFFFF:  # a fill byte before the marker
            position += 1
            continue
        position += 2
        if marker == 0xFF01 or 0xFFD0 <= marker <= 0xFFD8:  # markers that stand alone
            continue
        (length,) = struct.unpack_from(">H", data, position)
        # SOF0 to SOF15 carry the size; DHT, JPG and DAC share their range but do not.
        if 0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC):
            height, width = struct.unpack_from(">HH", data, position + 3)
            return width, height
        position += max(length, 2)


def _webp_size(data: bytes) -> tuple[int, int]:
    (kind,) = struct.unpack_from("4s", data, 12)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        low_w, high_w, low_h, high_h = struct.unpack_from("<HBHB", data, 24)
        return (high_w << 16 | low_w) + 1, (high_h << 16 | low_h) + 1
    raise CorruptImage


def picture_chunks(data: bytes) -> Iterator[bytes]:
    """The parts of a PNG that make its picture, as they stand (their CRCs are Pillow's to check)."""
    yield PNG_SIGNATURE
    position = len(PNG_SIGNATURE)
    while position + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if kind in PNG_PICTURE_CHUNKS:
            yield data[position:end]
        position = end


def upright(image: Image.Image) -> Image.Image:
    """Turn a photo the way its EXIF tag says the camera was held; a damaged tag is no reason to refuse it."""
    try:
        turn = UPRIGHT.get(image.getexif().get(EXIF_ORIENTATION, 1))
    except DAMAGE:
        return image
    return image if turn is None else image.transpose(turn)


def plain_mode(image: Image.Image) -> Image.Image:
    """Any decoded mode as L, LA, RGB or RGBA of 8 bits, palettes and transparent colours resolved."""
    if image.mode.startswith("I"):  # 16-bit grey; Pillow's own conversion would clip instead of scale
        levels = np.asarray(image, dtype=np.int32) >> 8
        return Image.fromarray(levels.clip(0, 255).astype(np.uint8))
    grey = image.mode in ("1", "L", "LA", "La")
    mode = ("L" if grey else "RGB") + ("A" if image.has_transparency_data else "")
    return image if image.mode == mode else image.convert(mode)
