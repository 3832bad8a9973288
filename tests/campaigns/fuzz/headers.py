"""Lies in the headers of JPEG, WebP, GIF, BMP, TIFF, HEIC and AVIF."""

import random
import struct
from collections.abc import Callable

from tests.campaigns.fuzz.edits import SIZES, flipped, patched

LENGTHS = (0, 1, 2, 3, 8, 17, 1000, 65535)  # of a JPEG's segment
WEBP_KINDS = (b"VP8 ", b"VP8L", b"VP8X", b"ANIM", b"ALPH", b"ICCP", b"EXIF")


def segmented(data: bytes, rng: random.Random) -> bytes:
    """A JPEG with one segment's content, length, or the declared size changed."""
    marks = [at for at in range(2, min(len(data) - 1, 2000)) if data[at] == 0xFF and data[at + 1]]
    frames = [mark for mark in marks if 0xC0 <= data[mark + 1] <= 0xCF and data[mark + 1] not in (0xC4, 0xC8, 0xCC)]
    at = rng.choice(marks or [2])
    sizes = [min(rng.choice(SIZES), 65535) for _ in range(2)]
    return rng.choice(
        (
            patched(data, at + 1, "B", rng.randrange(256)),
            patched(data, at + 2, ">H", rng.choice(LENGTHS)),
            patched(data, at + 4 + rng.randrange(12), "B", rng.randrange(256)),
            patched(data, (rng.choice(frames) if frames else at) + 5, ">HH", *sizes),
        )
    )


def riffed(data: bytes, rng: random.Random) -> bytes:
    """A WebP with a length, a kind or the declared size changed."""
    return rng.choice(
        (
            patched(data, 4, "<I", rng.choice((*SIZES, len(data)))),
            patched(data, 16, "<I", rng.choice((*SIZES, len(data) - 20))),
            patched(data, 12, "4s", rng.choice(WEBP_KINDS)),
            patched(data, 20 + rng.randrange(min(len(data) - 20, 30)), "B", rng.randrange(256)),
        )
    )


def screened(data: bytes, rng: random.Random) -> bytes:
    """A GIF with a byte of its screen or of a block's head changed."""
    heads = [at for at in range(13, len(data) - 12) if data[at] in (0x21, 0x2C) and not data[at - 1]]
    at = rng.choice(heads or [13])
    return rng.choice(
        (
            patched(data, 6 + rng.randrange(6), "B", rng.randrange(256)),
            patched(data, at + 1 + rng.randrange(10), "B", rng.randrange(256)),
            patched(data, at + 1 + 2 * rng.randrange(4), "<H", min(rng.choice(SIZES), 65535)),
        )
    )


def bitmapped(data: bytes, rng: random.Random) -> bytes:
    """A BMP with a field of its header changed."""
    return patched(
        data, rng.choice((10, 14, 18, 22, 26, 28, 30, 34, 46)), "<I", rng.choice((*SIZES, 2, 3, 4, 6, 12, 124))
    )


def tagged(data: bytes, rng: random.Random) -> bytes:
    """A TIFF with a tag, a type, a count, a value, or the place of the next directory changed."""
    order = "<" if data[:2] == b"II" else ">"
    (first,) = struct.unpack_from(f"{order}I", data, 4)
    if first + 2 > len(data):
        return flipped(data, rng)
    (count,) = struct.unpack_from(f"{order}H", data, first)
    at = first + 2 + 12 * rng.randrange(max(count, 1))
    return rng.choice(
        (
            patched(data, at, f"{order}H", rng.choice((*range(254, 286), *range(317, 348), 34665, 34675))),
            patched(data, at + 2, f"{order}H", rng.randrange(20)),
            patched(data, at + 4, f"{order}I", rng.choice(SIZES)),
            patched(data, at + 8, f"{order}I", rng.choice((*SIZES, 2, 3, 4, 5, 6, 32773, first, at))),
            patched(data, at + 8, f"{order}H", rng.choice((1, 2, 3, 4, 5, 6, 7, 8, 32773, 34712, 50000))),
            patched(data, first + 2 + 12 * count, f"{order}I", rng.choice((first, 8, len(data) - 8))),
        )
    )


BOXES = (
    b"ftyp meta hdlr pitm iinf infe iloc iprp ipco ipma ispe hvcC av1C pixi irot imir colr auxC iref dimg auxl mdat"
    b" idat grid tmap free moov trak stsz"
).split(b" ")


def boxed(data: bytes, rng: random.Random) -> bytes:
    """A HEIC or AVIF with a box's length, kind or content, or a declared size changed."""
    kind = rng.choice([kind for kind in BOXES if kind in data] or [b"ftyp"])
    at = data.find(kind, rng.randrange(len(data) // 2))
    at = max(at if at >= 0 else data.find(kind), 4)
    size = max(data.find(b"ispe"), 0)
    return rng.choice(
        (
            patched(data, at - 4, ">I", rng.choice((*SIZES, len(data)))),
            patched(data, at, "4s", rng.choice(BOXES)),
            patched(data, at + 4 + rng.randrange(40), "B", rng.randrange(256)),
            patched(data, size + 8 + 4 * rng.randrange(2), ">I", rng.choice(SIZES)),
        )
    )


OWN: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "JPEG": segmented,
    "WEBP": riffed,
    "GIF": screened,
    "BMP": bitmapped,
    "TIFF": tagged,
    "HEIF": boxed,
    "AVIF": boxed,
}
