"""Drawings for tests: digit strokes on canvases of any size, polarity, mode and brush, and their encodings."""

import base64
import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

Point = tuple[float, float]
Colour = int | tuple[int, ...]


def arc(cx: float, cy: float, rx: float, ry: float, start: float, end: float) -> list[Point]:
    """Points on an ellipse, angles in degrees clockwise from the right."""
    turns = np.radians(np.linspace(start, end, 40))
    return [(cx + rx * float(np.cos(turn)), cy + ry * float(np.sin(turn))) for turn in turns]


# Strokes on a unit square, (x, y) from the top left; about 0.6 wide and 1 tall.
STROKES: dict[int, list[list[Point]]] = {
    0: [arc(0.5, 0.5, 0.3, 0.5, -90, 270)],
    1: [[(0.5, 0.0), (0.5, 1.0)]],
    2: [[*arc(0.5, 0.28, 0.3, 0.28, -180, 30), (0.2, 1.0), (0.82, 1.0)]],
    3: [arc(0.45, 0.26, 0.3, 0.26, -150, 90), arc(0.45, 0.76, 0.34, 0.24, -90, 150)],
    4: [[(0.3, 0.0), (0.2, 0.6), (0.85, 0.6)], [(0.65, 0.25), (0.6, 1.0)]],
    5: [[(0.3, 0.05), (0.27, 0.45), *arc(0.45, 0.7, 0.32, 0.3, -110, 140)], [(0.3, 0.05), (0.78, 0.0)]],
    6: [[(0.65, 0.0), (0.3, 0.45), *arc(0.5, 0.73, 0.28, 0.27, 180, 540)]],
    7: [[(0.18, 0.02), (0.82, 0.02), (0.4, 1.0)]],
    8: [arc(0.5, 0.25, 0.24, 0.25, -90, 270), arc(0.5, 0.75, 0.3, 0.25, -90, 270)],
    9: [[*arc(0.5, 0.27, 0.27, 0.27, 0, 360), (0.72, 1.0)]],
}


def draw(
    digit: int = 5,
    size: int | tuple[int, int] = 280,
    *,
    height: float | None = None,
    brush: float | None = None,
    centre: Point | None = None,
    ink: Colour = 0,
    paper: Colour = 255,
    mode: str = "L",
    strokes: list[list[Point]] | None = None,
) -> Image.Image:
    """A digit drawn with a round brush: `height` and `brush` in pixels, `centre` of its square in pixels."""
    width, tall = (size, size) if isinstance(size, int) else size
    short = min(width, tall)
    height = height or short * 0.64
    brush = brush or short * 0.09
    centre = centre or (width / 2, tall / 2)
    zoom = 4 if short <= 600 else 1
    mask = Image.new("L", (width * zoom, tall * zoom))
    pen = ImageDraw.Draw(mask)
    reach = brush * zoom / 2
    for stroke in STROKES[digit] if strokes is None else strokes:
        spots = [((centre[0] + (x - 0.5) * height) * zoom, (centre[1] + (y - 0.5) * height) * zoom) for x, y in stroke]
        pen.line(spots, fill=255, width=max(round(brush * zoom), 1), joint="curve")
        for x, y in spots:
            pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=255)
    mask = mask.resize((width, tall), Image.Resampling.BOX)
    if mode in ("RGBA", "LA") and isinstance(paper, tuple) and paper[-1] == 0:
        # Nothing behind the ink: the brush is the transparency, as on a browser's canvas.
        image = Image.new(mode, (width, tall), ink)
        strength = ink[-1] if isinstance(ink, tuple) else 255
        image.putalpha(mask.point([level * strength // 255 for level in range(256)]))
        return image
    return Image.composite(Image.new(mode, (width, tall), ink), Image.new(mode, (width, tall), paper), mask)


def draw_number(number: str, height: float = 80.0, *, pitch: float = 0.95, **options: Any) -> Image.Image:
    """A line of digits on a canvas around it: `height` in pixels, `pitch` from digit to digit in heights.

    The middle of the first digit is 0.8 heights from the left and from the top.
    """
    strokes = [
        [(x + place * pitch, y) for x, y in stroke]
        for place, digit in enumerate(number)
        for stroke in STROKES[int(digit)]
    ]
    size = round((pitch * len(number) + 0.8) * height), round(1.6 * height)
    options = {"brush": 0.1 * height} | options
    return draw(size=size, height=height, centre=(0.8 * height, 0.8 * height), strokes=strokes, **options)


def dot(image: Image.Image, x: float, y: float, radius: float, ink: Colour = 0) -> Image.Image:
    """A copy with a filled dot on it."""
    image = image.copy()
    ImageDraw.Draw(image).ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)
    return image


def encode(image: Image.Image, image_format: str = "PNG", **options: Any) -> bytes:
    """The picture as a file's bytes."""
    buffer = BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def data_url(data: bytes, media_type: str = "image/png") -> str:
    """Bytes as a base64 data URL."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk with its length and CRC."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunk(png: bytes, kind: bytes, body: bytes) -> bytes:
    """A PNG with a chunk put in behind its header."""
    return png[:33] + chunk(kind, body) + png[33:]


def png_header(width: int, height: int, depth: int = 8, colour: int = 6) -> bytes:
    """A PNG that declares a size and holds nothing of it but a few bytes."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def interlaced(image: Image.Image) -> bytes:
    """A greyscale picture as an Adam7-interlaced PNG, which Pillow reads but does not write."""
    levels = np.asarray(image.convert("L"))
    rows = bytearray()
    for left, top, across, down in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        part = levels[top::down, left::across]
        if part.shape[1]:
            for row in part:
                rows += b"\0" + row.tobytes()
    header = struct.pack(">IIBBBBB", image.width, image.height, 8, 0, 0, 0, 1)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body
