"""The blocks of a GIF (GIF89a specification, sections 17 to 27): size, and the first frames without comments."""

import struct
from collections.abc import Iterator
from itertools import islice

from recognition.errors import CorruptImage

HEADER_BYTES = 13
EXTENSION, IMAGE, TRAILER = 0x21, 0x2C, 0x3B
GRAPHIC_CONTROL = 0xF9  # the extension that says what is transparent
MAX_BLOCKS = 100_000  # parts of at most 255 bytes, all frames together; the largest picture has 66,000


def size(data: bytes) -> tuple[int, int]:
    """Return (width, height) of what the first frame and the screen cover. Raises CorruptImage and struct.error."""
    width, height = struct.unpack_from("<HH", data, 6)
    for start, _ in blocks(data):
        if data[start] == IMAGE:
            left, top, across, down = struct.unpack_from("<HHHH", data, start + 1)
            return max(width, left + across), max(height, top + down)
    raise CorruptImage


def frame_count(data: bytes, most: int) -> int:
    """Return how many of the first `most` frames there are, whole or begun. Raises CorruptImage."""
    return sum(1 for _ in islice((start for start, _ in blocks(data) if data[start] == IMAGE), most))


def image_parts(data: bytes, frames: int) -> Iterator[bytes]:
    """Yield the header, the blocks of the first frames and the end of the file.

    Raises CorruptImage. A frame outside the first one's picture ends the file: Pillow would enlarge that.
    """
    width, height = size(data)
    yield data[: HEADER_BYTES + table_bytes(data[10])]
    for start, end in blocks(data):
        if data[start] == IMAGE:
            left, top, across, down = struct.unpack_from("<HHHH", data, start + 1)
            frames -= 1
            if frames < 0 or left + across > width or top + down > height:
                break
        elif data[start + 1 : start + 2] != bytes([GRAPHIC_CONTROL]):
            continue
        yield data[start:end]
    yield bytes([TRAILER])


def table_bytes(flags: int) -> int:
    """Return how long the colour table is that the flags of a header announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def blocks(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each extension and image, also of one cut short. Raises CorruptImage for too many parts."""
    if len(data) < HEADER_BYTES:
        raise CorruptImage
    position, left = HEADER_BYTES + table_bytes(data[10]), MAX_BLOCKS
    while position < len(data) and data[position] in (EXTENSION, IMAGE):
        start = position
        if data[start] == EXTENSION:
            position += 2
        else:
            if start + 10 > len(data):
                raise CorruptImage
            position += 11 + table_bytes(data[start + 9])
        while position < len(data) and data[position]:
            position += 1 + data[position]
            left -= 1
            if not left:
                raise CorruptImage
        position += 1
        yield start, position
