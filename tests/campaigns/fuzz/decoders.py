"""Mutated PNGs, decoded twice: what the fast decoder accepts, Pillow reads with the same pixels."""

import random
import struct
import zlib
from collections import Counter
from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import Image

from benchmarks.support.drawings import colour_png, page_png, small_png
from recognition.errors import RecognitionError
from recognition.imaging import EncodedImage, Pixels
from recognition.imaging.decoding import png
from tests.campaigns.fuzz.edits import cut, flipped, lengthened
from tests.campaigns.fuzz.pictures import ANY, SIGNATURE, chunked, corpus, parts, rows
from tests.support.drawings import chunk, draw, encode, interlaced

Chunks = list[tuple[bytes, bytes]]


@cache
def honest() -> list[bytes]:
    """PNGs of every kind, most of them plain; filters and compression as several writers choose them."""
    pictures = [colour_png(3), page_png(5), small_png(7), *corpus()["PNG"]]
    for mode in ("L", "RGB", "RGBA", "LA", "P", "1"):
        image = Image.effect_noise((61, 47), 90).convert("RGB").convert(mode)
        pictures += [
            encode(one, compress_level=level) for one in (image, draw(4, 50).convert(mode)) for level in (0, 6)
        ]
    return (
        pictures + [filtered(number, bands) for number in range(5) for bands in (1, 3, 4)] + [interlaced(draw(2, 40))]
    )


def filtered(number: int, bands: int, side: int = 40) -> bytes:
    """A PNG of noise, all rows with the filter of a number."""
    levels = np.random.default_rng(number).integers(0, 256, (side, 1 + side * bands), np.uint8)
    levels[:, 0] = number
    header = struct.pack(">IIBBBBB", side, side, 8, {1: 0, 3: 2, 4: 6}[bands], 0, 0, 0)
    return assembled([(b"IHDR", header), (b"IDAT", zlib.compress(levels.tobytes())), (b"IEND", b"")])


def assembled(chunks: Chunks) -> bytes:
    return SIGNATURE + b"".join(chunk(kind, body) for kind, body in chunks)


def stream(data: bytes, rng: random.Random) -> bytes:
    """The compressed rows changed, cut, lengthened or divided; the CRCs are right, the Adler-32 may not be."""
    chunks = parts(data)
    body = b"".join(body for kind, body in chunks if kind == b"IDAT")
    if len(body) < 10:
        return data
    changes: tuple[Callable[[], bytes], ...] = (
        lambda: rows(body, rng),
        lambda: flipped(body, rng),
        lambda: cut(body, rng),
        lambda: body[: -rng.randrange(1, 9)] + rng.randbytes(rng.choice((0, 4, 30))),
        lambda: lengthened(body, rng),
        lambda: body[:2] + bytes([body[2] ^ 1 << rng.randrange(8)]) + body[3:],
    )
    (change,) = rng.choices(changes, (10, 1, 1, 1, 1, 1))
    body = change()
    places = sorted(rng.randrange(len(body) + 1) for _ in range(rng.choice((0, 0, 1, 5))))
    divided = [(b"IDAT", body[first:last]) for first, last in zip([0, *places], [*places, len(body)], strict=True)]
    before = [kind for kind, _ in chunks].index(b"IDAT")
    return assembled([*chunks[:before], *divided, *(one for one in chunks[before:] if one[0] != b"IDAT")])


def mutated(rng: random.Random) -> bytes:
    """A PNG after one or two changes; the last one may break what the first put in order."""
    (change,) = rng.choices((stream, chunked, *ANY), (10, 4, 1, 1, 1, 1))
    data = change(rng.choice(honest()), rng)
    return data if len(data) < 2 or rng.random() < 0.8 else rng.choice((stream, *ANY))(data, rng)


def outcome(decode: Callable[[EncodedImage], Pixels], data: bytes) -> Pixels | str:
    """The pixels, or the code of the error."""
    try:
        return decode(EncodedImage(data))
    except RecognitionError as error:
        return error.code


def compare(seed: int, count: int) -> tuple[Counter[str], list[tuple[str, bytes]]]:
    """Decode `count` mutated PNGs with and without the fast decoder: how many came to what, and those that differ."""
    rng, tally, differing = random.Random(seed), Counter[str](), []
    for _ in range(count):
        data = mutated(rng)
        one, other = outcome(EncodedImage.decode, data), outcome(EncodedImage.decode_by_pillow, data)
        if isinstance(one, str):
            tally["refused"] += 1
        else:
            tally["read by Pillow" if png.decode_plain(data) is None else "read by the fast decoder"] += 1
        if not np.array_equal(one, other):
            differing.append((f"{described(one)} instead of {described(other)}, as Pillow says", data))
    return tally, differing


def described(outcome: Pixels | str) -> str:
    return outcome if isinstance(outcome, str) else f"pixels of shape {outcome.shape}"
