"""What the container of a PNG, JPEG or WebP says, read without decoding: the size, which way is up, and the parts that
make the picture. Everything else in a file is kept from Pillow, which would unpack it or walk through it in Python: a
compressed comment of a gigabyte, or a header of 250,000 empty ones, is an attack of its own.

PNG (W3C PNG, 5.6 and 11.2.1), JPEG (ITU T.81, annex B), WebP (RFC 9649, 2.5 to 2.7), EXIF (TIFF 6.0, section 2).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from recognition.errors import CorruptImage, UnsupportedImage

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8"
PNG_PICTURE_CHUNKS = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))
MOST_CHUNKS = 5000  # writers make chunks of 8 kB and more

START_OF_SCAN, APP1 = 0xFFDA, 0xFFE1
ALONE = frozenset((0xFF01, *range(0xFFD0, 0xFFD9)))  # markers without a length
FRAMES = frozenset((0xFFC0, 0xFFC1, 0xFFC2))  # baseline, extended, progressive: they carry the size
# Lossless, hierarchical and arithmetic ones are no browser's pictures; of the last, a few bytes may hold any number of
# coefficients in every block.
OTHER_FRAMES = frozenset(range(0xFFC3, 0xFFD0)) - {0xFFC4, 0xFFC8, 0xFFCC}  # DHT, JPG and DAC share the range
# With Huffman and quantization tables, restart intervals, and what JFIF and Adobe say of the colours.
JPEG_PICTURE_SEGMENTS = FRAMES | {0xFFC4, 0xFFDB, 0xFFDD, 0xFFE0, 0xFFEE}
MOST_SEGMENTS = 500  # before the first scan; photos have a few dozen
# A scan of twelve bytes may change every pixel: a megabyte of them takes minutes. Progressive pictures have ten or so.
MOST_SCANS = 32

ORIENTATION = 0x0112
UPRIGHT = 1
MOST_TAGS = 500


def sniff_format(data: bytes) -> str:
    """Pillow's name of the format the bytes begin as; a beginning cut short counts as that format."""
    if data.startswith(PNG_SIGNATURE) or (len(data) < 8 and PNG_SIGNATURE.startswith(data)):
        return "PNG"
    if data.startswith(JPEG_SIGNATURE) or data == JPEG_SIGNATURE[:1]:
        return "JPEG"
    if data[:4] == b"RIFF" and b"WEBP".startswith(data[8:12]):
        return "WEBP"
    raise UnsupportedImage


def declared_size(data: bytes, image_format: str) -> tuple[int, int]:
    """(width, height) in pixels as the header says.

    Raises:
        CorruptImage: there is no such header.
        UnsupportedImage: a JPEG of a kind that is not read.
        struct.error: the header is cut short.
    """
    reader = {"PNG": _png_size, "JPEG": _jpeg_size, "WEBP": _webp_size}[image_format]
    return reader(data)


def picture_parts(data: bytes, image_format: str) -> bytes:
    """The file with nothing in it but what makes its picture; a WebP as it is, which nothing in Python walks through.

    Raises:
        CorruptImage: it has more parts, or a JPEG more scans, than any program writes.
        struct.error: it is cut short.
    """
    parts = {"PNG": _png_parts, "JPEG": _jpeg_parts}.get(image_format)
    return b"".join(parts(data)) if parts else data


def jpeg_exif(data: bytes) -> bytes:
    """The first EXIF segment; nothing when there is none."""
    for marker, start, end in jpeg_segments(data):
        if marker == APP1 and data.startswith(b"Exif\0\0", start + 4):
            return data[start + 4 : end]
    return b""


def orientation(exif: bytes) -> int:
    """How a photo was held (EXIF tag 274): 1 to 8, and 1 where that is not said, or not in a way to be understood."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return UPRIGHT
    try:
        (first,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, first)
        for number in range(min(count, MOST_TAGS)):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, first + 2 + 12 * number)
            if tag == ORIENTATION:
                return int(value)
    except struct.error:  # a damaged note beside the picture is no reason to refuse it
        pass
    return UPRIGHT


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(marker, start, end) of each segment in bytes, up to the first scan, which goes to the end of the file.

    Raises:
        CorruptImage: something else stands between them, or there are more than MOST_SEGMENTS.
        struct.error: it is cut short.
    """
    position = len(JPEG_SIGNATURE)
    for _ in range(MOST_SEGMENTS):
        (marker,) = struct.unpack_from(">H", data, position)
        if marker == 0xFFFF:  # a fill byte before the marker
            position += 1
        elif marker in ALONE:
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


def _jpeg_parts(data: bytes) -> Iterator[bytes]:
    yield JPEG_SIGNATURE
    for marker, start, end in jpeg_segments(data):
        if marker == START_OF_SCAN:
            # Inside of a scan the bytes of a marker do not occur (B.1.1.5).
            if data.count(START_OF_SCAN.to_bytes(2, "big"), start) > MOST_SCANS:
                raise CorruptImage
            yield data[start:]
        elif marker in JPEG_PICTURE_SEGMENTS:
            yield data[start:end]


def _png_parts(data: bytes) -> Iterator[bytes]:
    """Their CRCs are Pillow's to check. Text, profiles and further pictures of an animation are left out."""
    yield PNG_SIGNATURE
    position = len(PNG_SIGNATURE)
    for _ in range(MOST_CHUNKS):
        if position + 8 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if kind in PNG_PICTURE_CHUNKS:
            yield data[position:end]
        position = end
    raise CorruptImage


def _png_size(data: bytes) -> tuple[int, int]:
    length, kind, width, height = struct.unpack_from(">I4sII", data, 8)
    if kind != b"IHDR" or length != 13:
        raise CorruptImage
    return width, height


def _jpeg_size(data: bytes) -> tuple[int, int]:
    for marker, start, _ in jpeg_segments(data):
        if marker in FRAMES:
            height, width = struct.unpack_from(">HH", data, start + 5)
            return width, height
        if marker in OTHER_FRAMES:
            raise UnsupportedImage
    raise CorruptImage


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
