"""The boxes of HEIC and AVIF (ISO/IEC 14496-12, 4.2; 23008-12, 6.5.3): which of the two a file is, and its size."""

import struct
from collections.abc import Iterator

from recognition.errors import CorruptImage

HEIC_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"))
AVIF_BRANDS = frozenset((b"avif", b"avis"))
MAX_BRANDS_BYTES, MAX_BOXES = 256, 2000  # a phone's photo has about 50 parts, each with its boxes
FULL_BOX = 4  # bytes of version and flags


def brands(data: bytes) -> frozenset[bytes]:
    """Return what the file says it can be read as, or nothing if it has no such boxes."""
    if data[4:8] != b"ftyp":
        return frozenset()
    end = min(int.from_bytes(data[:4], "big"), MAX_BRANDS_BYTES, len(data))
    return frozenset((data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4))))


def size(data: bytes) -> tuple[int, int]:
    """Return (width, height) of the largest picture in the file. Raises CorruptImage and struct.error.

    A photo is a grid of tiles, whose own sizes stand beside that of the whole, as do those of thumbnails.
    """
    start, end = box(data, b"meta", 0, len(data))
    start, end = box(data, b"iprp", start + FULL_BOX, end)
    start, end = box(data, b"ipco", start, end)
    sizes = [
        struct.unpack_from(">II", data, at + FULL_BOX) for kind, at, _ in boxes(data, start, end) if kind == b"ispe"
    ]
    if not sizes:
        raise CorruptImage
    width, height = max(sizes, key=lambda one: one[0] * one[1])
    return width, height


def box(data: bytes, wanted: bytes, start: int, end: int) -> tuple[int, int]:
    """Return (start, end) of the content of the first box of a kind. Raises CorruptImage if it is missing."""
    for kind, inside, after in boxes(data, start, end):
        if kind == wanted:
            return inside, after
    raise CorruptImage


def boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (kind, start, end) of the content of each box. Raises CorruptImage for too many, and for a false length."""
    for _ in range(MAX_BOXES):
        if start >= end:
            return
        length, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, start + 8)
            head = 16
        elif length == 0:
            length = end - start
        if length < head:
            raise CorruptImage
        yield kind, start + head, min(start + length, end)
        start += length
    raise CorruptImage
