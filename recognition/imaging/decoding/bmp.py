"""The header of a Windows or OS/2 bitmap."""

import struct

from recognition.errors import CorruptImage, UnsupportedImage

OS2_HEADER, WINDOWS_HEADER = 12, 40  # bytes
UNCOMPRESSED = (0, 3, 6)  # the last two with masks for the colours


def size(data: bytes) -> tuple[int, int]:
    """Return (width, height). Raises CorruptImage for too few pixels, and struct.error for a file cut short.

    Raises UnsupportedImage for a compressed one: Pillow unpacks it in Python, at a microsecond for two bytes.
    """
    start, header = struct.unpack_from("<II", data, 10)
    compression = 0
    if header == OS2_HEADER:
        width, height, _, depth = struct.unpack_from("<HHHH", data, 18)
    elif header >= WINDOWS_HEADER:
        width, height, _, depth, compression = struct.unpack_from("<iiHHI", data, 18)
    else:
        raise CorruptImage
    if compression not in UNCOMPRESSED:
        raise UnsupportedImage("Compressed BMP files cannot be read. Save the picture as a PNG and send that.")
    height = abs(height)  # a negative one says that the rows stand from the top down
    if (width * depth + 31) // 32 * 4 * height > len(data) - start:
        raise CorruptImage
    return width, height
