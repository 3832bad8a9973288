"""Pictures that are nearly right: their checksums and lengths put in order, so that decoders get deep into them."""

import random
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pillow_heif
from PIL import Image

from recognition.imaging.decoding import FORMATS
from tests.campaigns.fuzz import headers
from tests.campaigns.fuzz.edits import SIZES, cut, flipped, lengthened, moved
from tests.support import bombs
from tests.support.drawings import chunk, data_url, draw, encode, interlaced
from tests.support.wire import Request

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KINDS = (
    b"zTXt iTXt tEXt iCCP eXIf acTL fcTL fdAT gAMA cHRM sRGB sBIT tRNS PLTE bKGD hIST pHYs sPLT tIME IDAT IEND IHDR"
    b" abcd \0\0\0\0"
).split(b" ")


@cache
def corpus() -> dict[str, list[bytes]]:
    """Honest pictures by format, and some that are dear to read."""
    grey, colour = draw(5), draw(3).convert("RGB")
    clear = draw(8, ink=(0, 0, 0, 255), paper=(0, 0, 0, 0), mode="RGBA")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    modes = (draw(7, 28), grey, colour, clear, grey.convert("LA"), colour.quantize(16), grey.convert("1"), deep)
    exif = Image.Exif()
    exif[0x0112] = 6
    pillow_heif.register_heif_opener()
    frames = {"save_all": True, "append_images": [draw(2)], "duration": 40}
    png = [(image, {}) for image in modes] + [(colour, {"transparency": (255, 255, 255)}), (grey, frames)]
    jpeg = [(grey, {}), (colour, {"quality": 60}), (colour.convert("CMYK"), {}), (colour, {"progressive": True})]
    jpeg += [(colour, {"exif": exif}), (draw(1, (1200, 900)), {"quality": 30})]
    webp = [(grey, {}), (colour, {"lossless": True}), (clear, {}), (colour, {"exif": exif}), (colour, frames)]
    found = {
        kind: [encode(image, kind, **options) for image, options in pictures]
        for kind, pictures in (("PNG", png), ("JPEG", jpeg), ("WEBP", webp))
    }
    turned = colour.copy()
    turned.info["exif"] = exif.tobytes()
    many = {"save_all": True, "append_images": [draw(digit) for digit in range(9)]}
    packings = ("tiff_lzw", "tiff_deflate", "packbits", "jpeg", "tiff_adobe_deflate")
    found["GIF"] = [encode(image, "GIF", **options) for image, options in ((grey, {}), (colour, many), (clear, {}))]
    found["BMP"] = [encode(image, "BMP") for image in (grey, colour, clear, colour.quantize(16), grey.convert("1"))]
    found["TIFF"] = [encode(image, "TIFF") for image in (draw(7, 28), colour, clear, deep, colour.convert("CMYK"))]
    found["TIFF"] += [encode(colour, "TIFF", compression=packing) for packing in packings]
    found["TIFF"] += [encode(grey.convert("1"), "TIFF", compression=packing) for packing in ("group3", "group4")]
    found["TIFF"] += [encode(grey, "TIFF", **many), encode(colour, "TIFF", exif=exif)]
    boxed = [(grey, {}), (colour, {}), (clear, {}), (turned, {})]
    found["HEIF"] = [encode(image, "HEIF", **options) for image, options in (*boxed, (draw(3, 300), {"tile_size": 64}))]
    found["AVIF"] = [encode(image, "AVIF", **options) for image, options in (*boxed, (colour, many))]
    many_segments = (bombs.segment(0xFFFE) * 5000, bombs.segment(0xFFE1, bombs.exif_of_tags(1000)))
    found["PNG"] += [interlaced(grey)]
    found["JPEG"] += [bombs.many_scans(999, 1000, 2000)]
    found["JPEG"] += [bombs.with_segments(found["JPEG"][0], segments) for segments in many_segments]
    found["WEBP"] += [bombs.webp_of_tags(grey, 3000)]
    return found


# --- PNG ---


def parts(data: bytes) -> list[tuple[bytes, bytes]]:
    """(kind, body) of every chunk of an honest PNG."""
    found, at = [], len(SIGNATURE)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        found.append((kind, data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def header(body: bytes, rng: random.Random) -> bytes:
    """An IHDR that lies in one of its fields."""
    fields = list(struct.unpack(">IIBBBBB", body))
    which = rng.randrange(7)
    fields[which] = rng.choice(SIZES) if which < 2 else rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
    return struct.pack(">IIBBBBB", *fields)


def rows(body: bytes, rng: random.Random) -> bytes:
    """Compressed rows with other filters and levels, or with another end, compressed again."""
    try:
        plain = bytearray(zlib.decompress(body))
    except zlib.error:
        return flipped(body, rng)
    for _ in range(rng.choice((1, 10, 200))):
        plain[rng.randrange(len(plain))] = rng.choice((0, 1, 2, 3, 4, 5, 200, 255))
    if rng.random() < 0.3:
        plain = plain[: rng.randrange(len(plain))] if rng.random() < 0.5 else plain * 2
    return zlib.compress(bytes(plain), rng.randrange(10))


def chunked(data: bytes, rng: random.Random) -> bytes:
    """One chunk changed, added, left out or moved; every CRC is right."""
    found = parts(data)
    at = rng.randrange(len(found))
    kind, body = found[at]
    act = rng.randrange(6)
    if act == 0:
        change = {b"IHDR": header, b"IDAT": rows}.get(kind, lambda b, r: flipped(b, r) if b else r.randbytes(9))
        found[at] = (kind, change(body, rng))
    elif act == 1:
        found[0] = (b"IHDR", header(found[0][1], rng))
    elif act == 2:
        found.insert(at, (rng.choice(KINDS), rng.randbytes(rng.choice((0, 1, 4, 13, 26, 768, 3000)))))
    elif act == 3:
        found.insert(at, (rng.choice(KINDS[:4]), b"n\0\0" + zlib.compress(bytes(rng.choice((10, 10**6))))))
    elif act == 4:
        del found[at]
    else:
        rng.shuffle(found)
    return SIGNATURE + b"".join(chunk(kind, body) for kind, body in found)


OWN: dict[str, Callable[[bytes, random.Random], bytes]] = {"PNG": chunked, **headers.OWN}
ANY = (flipped, cut, moved, lengthened)


def mutated(rng: random.Random, honest: dict[str, list[bytes]]) -> bytes:
    """One picture after one to three changes; the last ones may break what the first put in order."""
    kinds = sorted(honest)
    (kind,) = rng.choices(kinds, [1 if FORMATS[kind].is_isolated else 10 for kind in kinds])  # a process each
    data = rng.choice(honest[kind])
    if rng.random() < 0.75:
        data = OWN[kind](data, rng)
    for _ in range(rng.choice((0, 0, 1, 2))):
        data = rng.choice(ANY)(data, rng) if len(data) > 1 else data
    return data


def large(rng: random.Random) -> bytes:
    """As large as is taken, and honest: what costs most."""
    size = rng.choice(((4096, 4096), (4096, 8), (3000, 2000)))
    return encode(Image.new(rng.choice(("L", "RGB", "RGBA")), size, "white"))


def carried(data: bytes, rng: random.Random) -> Request:
    """A picture by one of the three ways that it may come."""
    path = rng.choice(
        ("/api/drawing/", "/api/drawing/?preview=1", "/api/number/?preview=1", "/api/corrections/?label=7")
    )
    form = b'--b\r\nContent-Disposition: form-data; name="drawing"; filename="a.png"\r\n\r\n%b\r\n--b--\r\n'
    kind, body = rng.choices(
        (
            ("application/json", b'{"drawing": "%b"}' % data_url(data).encode()),
            ("multipart/form-data; boundary=b", form % data),
            ("image/png", data),
        ),
        (6, 2, 2),
    )[0]
    return Request("POST", path, (("Content-Type", kind),), body, "pictures")


def requests(seed: int) -> Iterator[Request]:
    rng, honest = random.Random(seed), corpus()
    while True:
        yield carried(large(rng) if rng.random() < 0.001 else mutated(rng, honest), rng)
