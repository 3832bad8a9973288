"""The directories of a TIFF (TIFF 6.0, section 2): size, and bounds of what Pillow would read of them in Python."""

import struct
from collections.abc import Iterator

from recognition.errors import CorruptImage
from recognition.imaging.decoding.exif import BYTE_ORDERS, MAX_TAGS, first_tags

WIDTH, HEIGHT = 0x0100, 0x0101
BYTE_TYPES = (1, 2, 6, 7)  # bytes, text and undefined; the other types are numbers, each an object of Python
MAX_NUMBERS = 200_000  # in a directory; the smallest tiles of the largest picture have 131,072 places and lengths


def size(data: bytes) -> tuple[int, int]:
    """Return (width, height) of the first page. Raises CorruptImage if its directory does not say."""
    tags = first_tags(data)
    if WIDTH not in tags or HEIGHT not in tags:
        raise CorruptImage
    return tags[WIDTH], tags[HEIGHT]


def image_parts(data: bytes, frames: int) -> Iterator[bytes]:
    """Yield the file. Raises CorruptImage if a directory of its first pages is damaged or holds far too much."""
    order = BYTE_ORDERS[data[:4]]
    (position,) = struct.unpack_from(f"{order}I", data, 4)
    for _ in range(frames):
        if not position:
            break
        (count,) = struct.unpack_from(f"{order}H", data, position)
        if count > MAX_TAGS:
            raise CorruptImage
        tags = [struct.unpack_from(f"{order}HHI", data, position + 2 + 12 * number) for number in range(count)]
        numbers = sum(length for _, kind, length in tags if kind not in BYTE_TYPES)
        if numbers > MAX_NUMBERS or sum(length for _, _, length in tags) > len(data) + MAX_NUMBERS:
            raise CorruptImage
        (position,) = struct.unpack_from(f"{order}I", data, position + 2 + 12 * count)
    yield data
