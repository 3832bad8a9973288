"""Decode untrusted image bytes into a validated Pillow image.

The size is read from the header before Pillow sees the data, so an image that would unfold into gigabytes costs
nothing. Pillow gets only the parts of the file that make up the image: it would unpack a compressed comment of a
gigabyte, and walk through 250,000 empty segments in Python.

PNG (W3C PNG, 5.6 and 11.2.1), JPEG (ITU T.81, annex B), WebP (RFC 9649, 2.5 to 2.7), EXIF (TIFF 6.0, section 2).
"""

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO

import numpy as np
from PIL import Image

from recognition.errors import (
    MAX_SIDE,
    MIN_SIDE,
    CorruptImage,
    EmptyImage,
    ImageTooLarge,
    ImageTooSmall,
    UnsupportedImage,
)

DRAFT_SIDE = 800  # pixels; JPEG can decode straight to about this size, in steps of 1/2, 1/4, 1/8
# What Pillow raises for damaged data, and warnings where they are errors. MemoryError and OverflowError come from
# absurd lengths, ValueError to AssertionError from plugins that trust a field.
DAMAGE = (OSError, EOFError, SyntaxError, MemoryError, OverflowError, struct.error, zlib.error, Warning) + (
    *(ValueError, TypeError, IndexError, KeyError, AssertionError),
    Image.DecompressionBombError,
)

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_IMAGE_CHUNKS = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))
MAX_CHUNKS = 5000  # writers make chunks of 8 kB and more

JPEG_SIGNATURE = b"\xff\xd8"
START_OF_SCAN, APP1 = 0xFFDA, 0xFFE1
STANDALONE_MARKERS = frozenset((0xFF01, *range(0xFFD0, 0xFFD9)))  # without a length
FRAMES = frozenset((0xFFC0, 0xFFC1, 0xFFC2))  # baseline, extended, progressive: they carry the size
# Browsers write no lossless, hierarchical or arithmetic-coded JPEG. In an arithmetic-coded one, a few bytes can hold
# any number of coefficients. DHT, JPG and DAC share the range.
UNSUPPORTED_FRAMES = frozenset(range(0xFFC3, 0xFFD0)) - {0xFFC4, 0xFFC8, 0xFFCC}
# Huffman and quantization tables, restart intervals, and the colour information of JFIF and Adobe.
JPEG_IMAGE_SEGMENTS = FRAMES | {0xFFC4, 0xFFDB, 0xFFDD, 0xFFE0, 0xFFEE}
MAX_SEGMENTS = 500  # before the first scan; photos have a few dozen
# A scan of twelve bytes can change every pixel, so a megabyte of them takes minutes. Progressive photos have about ten.
MAX_SCANS = 32

EXIF_ORIENTATION, UPRIGHT, MAX_EXIF_TAGS = 0x0112, 1, 500
TRANSPOSE_BY_ORIENTATION = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class EncodedImage:
    """A PNG, JPEG or WebP file with a valid header; its pixels are not decoded yet.

    `format` is Pillow's name for the format, `pixels` the width times the height that the header declares.
    """

    def __init__(self, data: bytes) -> None:
        """Read the header. Raises EmptyImage, UnsupportedImage, CorruptImage, ImageTooLarge and ImageTooSmall."""
        if not data:
            raise EmptyImage
        self.data, self.format = data, sniff_format(data)
        size_of, self._parts_of = FORMATS[self.format]
        try:
            width, height = size_of(data)
        except struct.error as error:
            raise CorruptImage from error
        check_size(width, height)
        self.pixels = width * height

    def decode(self) -> Image.Image:
        """Return the image, upright, in mode L, LA, RGB or RGBA. Raises CorruptImage.

        Only the first frame of an animation is decoded. A JPEG much larger than needed is returned reduced.
        """
        try:
            image = Image.open(BytesIO(b"".join(self._parts_of(self.data))), formats=[self.format])
            check_size(*image.size)
            image.draft(image.mode, (DRAFT_SIDE, DRAFT_SIDE))
            image.load()
            exif = jpeg_exif(self.data) if self.format == "JPEG" else image.info.get("exif", b"")
            transpose = TRANSPOSE_BY_ORIENTATION.get(exif_orientation(exif))
            return to_plain_mode(image if transpose is None else image.transpose(transpose))
        except DAMAGE as error:
            raise CorruptImage from error


def sniff_format(data: bytes) -> str:
    """Return Pillow's name for the format that the bytes begin as, even if cut short. Raises UnsupportedImage."""
    if data.startswith(PNG_SIGNATURE) or (len(data) < 8 and PNG_SIGNATURE.startswith(data)):
        return "PNG"
    if data.startswith(JPEG_SIGNATURE) or data == JPEG_SIGNATURE[:1]:
        return "JPEG"
    if data[:4] == b"RIFF" and b"WEBP".startswith(data[8:12]):
        return "WEBP"
    raise UnsupportedImage


def check_size(width: int, height: int) -> None:
    """Raise ImageTooLarge or ImageTooSmall for a size in pixels that is out of bounds."""
    if max(width, height) > MAX_SIDE:
        raise ImageTooLarge
    if min(width, height) < MIN_SIDE:
        raise ImageTooSmall


def png_image_chunks(data: bytes) -> Iterator[bytes]:
    """Yield the signature and the image's chunks, whose CRCs Pillow checks. Raises CorruptImage for too many chunks."""
    yield PNG_SIGNATURE
    position = len(PNG_SIGNATURE)
    for _ in range(MAX_CHUNKS):
        if position + 8 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if kind in PNG_IMAGE_CHUNKS:
            yield data[position:end]
        position = end
    raise CorruptImage


def jpeg_image_segments(data: bytes) -> Iterator[bytes]:
    """Yield the signature, the image's segments and everything from the first scan on.

    Raises struct.error for a file that is cut short, and CorruptImage for too many segments or scans.
    """
    yield JPEG_SIGNATURE
    for marker, start, end in jpeg_segments(data):
        if marker == START_OF_SCAN:
            # A marker's bytes do not occur inside a scan (B.1.1.5).
            if data.count(START_OF_SCAN.to_bytes(2, "big"), start) > MAX_SCANS:
                raise CorruptImage
            yield data[start:]
        elif marker in JPEG_IMAGE_SEGMENTS:
            yield data[start:end]


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (marker, start, end) of each segment in bytes, up to the first scan, which extends to the end of the file.

    Raises CorruptImage for other bytes between segments and for too many segments, struct.error for a file cut short.
    """
    position = len(JPEG_SIGNATURE)
    for _ in range(MAX_SEGMENTS):
        (marker,) = struct.unpack_from(">H", data, position)
        if marker == 0xFFFF:  # a fill byte before the marker
            position += 1
        elif marker in STANDALONE_MARKERS:
            position += 2
        elif marker <= 0xFF00:
            raise CorruptImage
        else:
            (length,) = struct.unpack_from(">H", data, position + 2)
            end = len(data) if marker == START_OF_SCAN else position + 2 + max(length, 2)
            yield marker, position, end
            if marker == START_OF_SCAN:
                return
            position = end
    raise CorruptImage


def png_size(data: bytes) -> tuple[int, int]:
    length, kind, width, height = struct.unpack_from(">I4sII", data, 8)
    if kind != b"IHDR" or length != 13:
        raise CorruptImage
    return width, height


def jpeg_size(data: bytes) -> tuple[int, int]:
    for marker, start, _ in jpeg_segments(data):
        if marker in FRAMES:
            height, width = struct.unpack_from(">HH", data, start + 5)
            return width, height
        if marker in UNSUPPORTED_FRAMES:
            raise UnsupportedImage
    raise CorruptImage


def webp_size(data: bytes) -> tuple[int, int]:
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


# For each format, how to read the size, and the parts that make up the image. No Python walks through a WebP.
FORMATS: dict[str, tuple[Callable[[bytes], tuple[int, int]], Callable[[bytes], Iterable[bytes]]]] = {
    "PNG": (png_size, png_image_chunks),
    "JPEG": (jpeg_size, jpeg_image_segments),
    "WEBP": (webp_size, lambda data: [data]),
}


def jpeg_exif(data: bytes) -> bytes:
    """Return the first EXIF segment, or nothing."""
    segments = (data[start + 4 : end] for marker, start, end in jpeg_segments(data) if marker == APP1)
    return next((segment for segment in segments if segment.startswith(b"Exif\0\0")), b"")


def exif_orientation(exif: bytes) -> int:
    """Return the camera's orientation, 1 to 8, or UPRIGHT if EXIF does not say or is damaged."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return UPRIGHT
    try:
        (first,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, first)
        for number in range(min(count, MAX_EXIF_TAGS)):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, first + 2 + 12 * number)
            if tag == EXIF_ORIENTATION:
                return int(value)
    except struct.error:  # damaged metadata is no reason to refuse the image
        pass
    return UPRIGHT


def to_plain_mode(image: Image.Image) -> Image.Image:
    """Convert any mode to L, LA, RGB or RGBA of 8 bits. Palettes and transparent colours are resolved."""
    if image.mode.startswith("I"):  # 16-bit grey; Pillow's own conversion would clip instead of scale
        levels = np.asarray(image, dtype=np.int32) >> 8
        return Image.fromarray(levels.clip(0, 255).astype(np.uint8))
    is_grey = image.mode in ("1", "L", "LA", "La")
    mode = ("L" if is_grey else "RGB") + ("A" if image.has_transparency_data else "")
    return image if image.mode == mode else image.convert(mode)
