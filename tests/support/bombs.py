"""Small files that cost whoever reads them carelessly much: valid, or nearly so, and of a harmless size in pixels."""

import struct
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw

from tests.support.drawings import draw_number


def segment(marker: int, body: bytes = b"") -> bytes:
    """One of a JPEG's, with its length."""
    return struct.pack(">HH", marker, len(body) + 2) + body


def many_scans(width: int, height: int, scans: int, arithmetic: bool = False) -> bytes:
    """A grey progressive JPEG of so many scans, each of which goes over every block again and changes nothing.

    A scan says "no more in the next 32,767 blocks" (ITU T.81, G.1.2.2), so it is a few bytes however large the picture.
    With `arithmetic` it claims to be coded so, and is not.
    """
    blocks = -(-width // 8) * -(-height // 8)
    bits = ""
    while blocks > 0:
        run = min(blocks, 32_767)
        bits += "0" + format(max(run - 16_384, 0), "014b")  # the code of EOB14, and how many more than 2^14
        blocks -= max(run, 16_384)
    bits += "1" * (-len(bits) % 8)
    data = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)).replace(b"\xff", b"\xff\0")
    tables = segment(0xFFDB, b"\0" + b"\1" * 64) + segment(0xFFC4, b"\x10" + b"\1\1" + bytes(14) + b"\xe0\0")
    frame = segment(0xFFCA if arithmetic else 0xFFC2, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0")
    first = segment(0xFFDA, b"\1\1\0" + bytes((1, 63, 0x01))) + data
    again = segment(0xFFDA, b"\1\1\0" + bytes((1, 63, 0x10))) + data
    return b"\xff\xd8" + tables + frame + first + again * (scans - 1) + b"\xff\xd9"


def with_segments(jpeg: bytes, segments: bytes) -> bytes:
    """A JPEG with more of them behind its first bytes."""
    return jpeg[:2] + segments + jpeg[2:]


def exif_of_tags(number: int) -> bytes:
    """EXIF whose tags all claim to be 700 kB long and lie on top of each other."""
    tags = b"".join(struct.pack(">HHII", 1 + tag, 7, 700_000, 8) for tag in range(number))
    return b"Exif\0\0MM\0*" + struct.pack(">IH", 8, number) + tags + bytes(4)


def webp_of_tags(image: Image.Image, number: int) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "WEBP", exif=exif_of_tags(number))
    return buffer.getvalue()


def run_length_bmp(width: int, height: int) -> bytes:
    """A compressed BMP, each pixel of which is a run."""
    body = (b"\1\0" * width + b"\0\0") * height + b"\0\1"
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(body), 0, 0, 256, 0)
    return struct.pack("<2sIHHI", b"BM", 1078 + len(body), 0, 0, 1078) + info + bytes(1024) + body


def lying(data: bytes, kind: str, width: int, height: int) -> bytes:
    """A file of Pillow's format `kind` whose header declares another size."""
    if kind == "GIF":
        at, size = 6, struct.pack("<HH", min(width, 65535), min(height, 65535))
    elif kind == "BMP":
        at, size = 18, struct.pack("<ii", width, height)
    elif kind == "JPEG":
        at, size = data.index(b"\xff\xc0") + 5, struct.pack(">HH", height, width)
    elif kind == "TIFF":
        (first,) = struct.unpack_from("<I", data, 4)
        (count,) = struct.unpack_from("<H", data, first)
        tags = [struct.unpack_from("<HHII", data, first + 2 + 12 * number) for number in range(count)]
        changed = {0x0100: (0x0100, 4, 1, width), 0x0101: (0x0101, 4, 1, height)}
        at, size = first + 2, b"".join(struct.pack("<HHII", *changed.get(tag[0], tag)) for tag in tags)
    else:
        at, size = data.index(b"ispe") + 8, struct.pack(">II", width, height)
    return data[:at] + size + data[at + len(size) :]


def tiff(tags: list[tuple[int, int, int, int]], body: bytes) -> bytes:
    """A TIFF of one page with these (tag, type, count, value) and `body` behind its first eight bytes."""
    packed = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<I", 8 + len(body)) + body + struct.pack("<H", len(tags)) + packed + bytes(4)


def tiff_of_strips(number: int) -> bytes:
    """A TIFF of 100x4096 that claims to have so many strips, and lists them."""
    shape = [(256, 4, 1, 100), (257, 4, 1, 4096), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    places = [(273, 4, number, 8), (277, 3, 1, 1), (278, 4, 1, 1), (279, 4, number, 8)]
    return tiff(shape + places, b"\x10\0\0\0" * min(number, 250_000))


def tiff_of_tags(number: int) -> bytes:
    """A TIFF of 100x100 with so many tags of 100 kB, which lie on top of each other."""
    shape = [(256, 4, 1, 100), (257, 4, 1, 100), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    places = [(273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, 100), (279, 4, 1, 10_000)]
    return tiff(shape + places + [(1000 + tag, 7, 100_000, 8) for tag in range(number)], bytes(100_000))


def gif_of_comments(gif: bytes, number: int) -> bytes:
    """A GIF with a comment of so many letters, each in a block of its own, before its first picture."""
    start = 13 + (3 << (gif[10] & 7) + 1)
    return gif[:start] + b"\x21\xfe" + b"\1a" * number + b"\0" + gif[start:]


def blobs(side: int) -> Image.Image:
    """A picture full of separate squares."""
    tile = np.full((32, 32), 255, np.uint8)
    tile[8:24, 8:24] = 0
    return Image.fromarray(np.tile(tile, (side // 32, side // 32)))


def touching_digits() -> Image.Image:
    """As many digits as a number may have, and a line that joins them all: every way to cut it is tried."""
    picture = draw_number("2754386902" * 2, pitch=0.6)
    ImageDraw.Draw(picture).line((40, 64, picture.width - 40, 64), fill=0, width=6)
    return picture
