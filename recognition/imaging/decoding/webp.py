"""The header of a WebP (RFC 9649, 2.5 to 2.7)."""

import struct

from recognition.errors import CorruptImage

ANIMATION = 0x02  # the flag


def size(data: bytes) -> tuple[int, int]:
    """Return (width, height). Raises CorruptImage, and struct.error for a file cut short."""
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


def is_animated(data: bytes) -> bool:
    return data[12:16] == b"VP8X" and bool(data[20] & ANIMATION)
