"""Changes that any file can suffer, whatever its format."""

import random
import struct

SIZES = (0, 1, 7, 8, 27, 28, 29, 100, 1000, 4095, 4096, 4097, 13300, 65535, 2**31 - 1, 2**31, 2**32 - 1)


def flipped(data: bytes, rng: random.Random) -> bytes:
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        at = rng.randrange(len(found)) if rng.random() < 0.5 else rng.randrange(min(len(found), 128))
        found[at] = found[at] ^ (1 << rng.randrange(8)) if rng.random() < 0.5 else rng.choice((0, 1, 127, 128, 255))
    return bytes(found)


def cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def moved(data: bytes, rng: random.Random) -> bytes:
    """A part doubled, left out, or put elsewhere."""
    first, last = sorted((rng.randrange(len(data)), rng.randrange(len(data))))
    part, at = data[first : min(last, first + 400)], rng.randrange(len(data))
    rest = data[:first] + data[first + len(part) :] if rng.random() < 0.7 else data
    return rest[:at] + part * rng.choice((0, 1, 2)) + rest[at:]


def lengthened(data: bytes, rng: random.Random) -> bytes:
    return data + rng.randbytes(rng.choice((1, 100, 5000)))


def patched(data: bytes, at: int, form: str, *values: object) -> bytes:
    """The file with `values` from the place `at` on, packed as `form` says."""
    packed = struct.pack(form, *values)
    return data[:at] + packed + data[at + len(packed) :]
