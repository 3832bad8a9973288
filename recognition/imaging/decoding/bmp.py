"""The header of a Windows or OS/2 bitmap."""

import struct
from collections.abc import Iterator

from recognition.errors import CorruptImage, UnsupportedImage

OS2_HEADER, WINDOWS_HEADER = 12, 40  # bytes
UNCOMPRESSED = (0, 3, 6)  # the last two with masks for the colours


def size(data: bytes) -> tuple[int, int]:
    """Return (width, height). Raises CorruptImage, and struct.error for a file cut short.

    Raises UnsupportedImage for a compressed one: Pillow unpacks it in Python, at a microsecond for two bytes.
    """
    width, height, _ = layout(data)
    return width, height


def image_parts(data: bytes, frames: int) -> Iterator[bytes]:
    """Yield the file. Raises CorruptImage if it does not hold as many pixels as its header declares."""
    width, height, depth = layout(data)
    (start,) = struct.unpack_from("<I", data, 10)
    if (width * depth + 31) // 32 * 4 * height > len(data) - start:
        raise CorruptImage
    yield data


def layout(data: bytes) -> tuple[int, int, int]:
    """Return (width, height, bits a pixel). Raises as `size` does."""
    (header,) = struct.unpack_from("<I", data, 14)
    compression = 0
    if header == OS2_HEADER:
        width, height, _, depth = struct.unpack_from("<HHHH", data, 18)
    elif header >= WINDOWS_HEADER:
        width, height, _, depth, compression = struct.unpack_from("<iiHHI", data, 18)
    else:
        raise CorruptImage
    if compression not in UNCOMPRESSED:
        raise UnsupportedImage("Compressed BMP files cannot be read. Save the picture as a PNG and send that.")
    return width, abs(height), depth  # a negative height says that the rows stand from the top down
