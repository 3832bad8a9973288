"""The chunks of a PNG (W3C PNG, 5.6, 11.2.1 and 11.3): size, image, first frames of an animation, orientation."""

import struct
from collections.abc import Iterator

from recognition.errors import CorruptImage

SIGNATURE = b"\x89PNG\r\n\x1a\n"
IMAGE_CHUNKS = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))
ANIMATION_CHUNKS = frozenset((b"acTL", b"fcTL", b"fdAT"))
MAX_CHUNKS = 5000  # writers make chunks of 8 kB and more


def size(data: bytes) -> tuple[int, int]:
    """Return (width, height). Raises CorruptImage, and struct.error for a file cut short."""
    length, kind, width, height = struct.unpack_from(">I4sII", data, 8)
    if kind != b"IHDR" or length != 13:
        raise CorruptImage
    return width, height


def is_animated(data: bytes) -> bool:
    """Whether a chunk for an animation stands before the image."""
    return b"acTL" in data[: data.find(b"IDAT", 0, 4096)]


def has_16_bits(data: bytes) -> bool:
    return data[24] == 16


def image_chunks(data: bytes, frames: int) -> Iterator[bytes]:
    """Yield the signature and the image's chunks, whose CRCs Pillow checks. Raises CorruptImage for too many chunks.

    The chunks of an animation come with them if more than one frame is wanted.
    """
    wanted = IMAGE_CHUNKS if frames == 1 else IMAGE_CHUNKS | ANIMATION_CHUNKS
    yield SIGNATURE
    for kind, start, end in chunks(data):
        if kind in wanted:
            yield data[start:end]


def exif(data: bytes) -> bytes:
    """Return the first EXIF chunk's content, or nothing."""
    return next((data[start + 8 : end - 4] for kind, start, end in chunks(data) if kind == b"eXIf"), b"")


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (kind, start, end) of each chunk. Raises CorruptImage for too many."""
    position = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        if position + 8 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        yield kind, position, end
        if kind == b"IEND":
            return
        position = end
    raise CorruptImage
