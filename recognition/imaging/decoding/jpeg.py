"""The segments of a JPEG (ITU T.81, annex B): size, image, orientation."""

import struct
from collections.abc import Iterator

from recognition.errors import MAX_PHOTO_PIXELS, CorruptImage, ImageTooLarge, UnsupportedImage

SIGNATURE, END_OF_IMAGE = b"\xff\xd8", b"\xff\xd9"
START_OF_SCAN, APP1 = 0xFFDA, 0xFFE1
STANDALONE_MARKERS = frozenset((0xFF01, *range(0xFFD0, 0xFFD9)))  # without a length
PROGRESSIVE = 0xFFC2
FRAMES = frozenset((0xFFC0, 0xFFC1, PROGRESSIVE))  # baseline, extended, progressive: they carry the size
# Browsers write no lossless, hierarchical or arithmetic-coded JPEG. In an arithmetic-coded one, a few bytes can hold
# any number of coefficients. DHT, JPG and DAC share the range.
UNSUPPORTED_FRAMES = frozenset(range(0xFFC3, 0xFFD0)) - {0xFFC4, 0xFFC8, 0xFFCC}
# Huffman and quantization tables, restart intervals, and the colour information of JFIF and Adobe.
IMAGE_SEGMENTS = FRAMES | {0xFFC4, 0xFFDB, 0xFFDD, 0xFFE0, 0xFFEE}
MAX_SEGMENTS = 500  # before the first scan; photos have a few dozen
# A scan of twelve bytes can change every pixel, so a megabyte of them takes minutes. Progressive photos have about ten.
MAX_SCANS = 32


def size(data: bytes) -> tuple[int, int]:
    """Return (width, height). Raises CorruptImage, UnsupportedImage, ImageTooLarge, and struct.error if cut short."""
    for marker, start, _ in segments(data):
        if marker in FRAMES:
            height, width = struct.unpack_from(">HH", data, start + 5)
            if marker == PROGRESSIVE and width * height > MAX_PHOTO_PIXELS:  # it is decoded as a whole, then reduced
                most = MAX_PHOTO_PIXELS // 10**6
                raise ImageTooLarge(f"A progressive JPEG may have at most {most} megapixels. Send a smaller picture.")
            return width, height
        if marker in UNSUPPORTED_FRAMES:
            raise UnsupportedImage
    raise CorruptImage


def image_segments(data: bytes, frames: int) -> Iterator[bytes]:
    """Yield the signature, the image's segments and everything from the first scan to the end of the image.

    Raises struct.error for a file that is cut short, and CorruptImage for too many segments or scans.
    """
    yield SIGNATURE
    for marker, start, end in segments(data):
        if marker == START_OF_SCAN:
            # A marker's bytes do not occur inside a scan (B.1.1.5). Phones append a film to a photo.
            scans, mark, _ = data[start:].partition(END_OF_IMAGE)
            if scans.count(START_OF_SCAN.to_bytes(2, "big")) > MAX_SCANS:
                raise CorruptImage
            yield scans + mark
        elif marker in IMAGE_SEGMENTS:
            yield data[start:end]


def exif(data: bytes) -> bytes:
    """Return the first EXIF segment, or nothing."""
    found = (data[start + 4 : end] for marker, start, end in segments(data) if marker == APP1)
    return next((segment for segment in found if segment.startswith(b"Exif\0\0")), b"")


def segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (marker, start, end) of each segment in bytes, up to the first scan, which extends to the end of the file.

    Raises CorruptImage for other bytes between segments and for too many segments, struct.error for a file cut short.
    """
    position = len(SIGNATURE)
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
