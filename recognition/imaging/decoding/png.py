"""The chunks of a PNG (W3C PNG, 5.6, 11.2.1 and 11.3): size, image, first frames of an animation, orientation.

Most PNGs are plain: 8 bits of grey, RGB or RGBA, not interlaced. A decoder in Rust reads those in a fifth of Pillow's
time. Pillow reads, or refuses, everything else.
"""

import re
import struct
from collections.abc import Iterator

from kornia_rs.io import decode_image_png_u8
from zlib_ng import zlib_ng

from recognition.errors import CorruptImage
from recognition.imaging.scaling import Pixels

SIGNATURE = b"\x89PNG\r\n\x1a\n"
IMAGE_CHUNKS = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))
ANIMATION_CHUNKS = frozenset((b"acTL", b"fcTL", b"fdAT"))
MAX_CHUNKS = 5000  # writers make chunks of 8 kB and more
# Pillow does not change the pixels for these either.
IGNORED_CHUNKS = frozenset(b"gAMA cHRM sRGB iCCP sBIT bKGD pHYs tIME tEXt zTXt iTXt".split())
MAX_PLAIN_PIXELS = 1_000_000  # 2 ms; other threads wait, because the decoder holds Python's lock
# Bits a band, type of colour, methods of compression and filtering, interlacing.
PLAIN_MODES = {b"\x08\0\0\0\0": "mono", b"\x08\x02\0\0\0": "rgb", b"\x08\x06\0\0\0": "rgba"}
BANDS = {"mono": 1, "rgb": 3, "rgba": 4}


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


def decode_plain(data: bytes) -> Pixels | None:
    """Return the pixels of a plain PNG, or None if it is not plain or not whole."""
    width, height = size(data)
    mode = PLAIN_MODES.get(data[24:29])
    if mode is None or width * height > MAX_PLAIN_PIXELS:
        return None
    found = [(kind, start, end) for kind, start, end in chunks(data) if kind not in IGNORED_CHUNKS]
    if not re.fullmatch(rb"IHDR(IDAT)+IEND", b"".join(kind for kind, _, _ in found)):
        return None
    rows = b"".join(data[start + 8 : end - 4] for _, start, end in found[1:-1])
    length = height * (1 + width * BANDS[mode])
    decompressor = zlib_ng.decompressobj()
    try:
        # kornia-rs does not compare the checksum of the rows, and ignores rows beyond the last one.
        if len(decompressor.decompress(rows, length + 1)) != length or not decompressor.eof:
            return None
        image = b"".join((SIGNATURE, *(data[start:end] for _, start, end in found)))
        pixels = decode_image_png_u8(image, (height, width), mode)
    except Exception:  # noqa: BLE001, kornia-rs raises nothing more precise
        return None
    return pixels[..., 0] if mode == "mono" else pixels


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
