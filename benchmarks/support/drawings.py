"""What the servers are sent: ten digits, as a browser's canvas, this page and the original's page encode them."""

import colorsys
import struct
import zlib
from functools import cache

import numpy as np
from PIL import Image

from tests.support.drawings import chunk, draw, encode

CANVAS = 280  # pixels a side of the colour canvas
COLOURS, STRIPE = 6, 28  # of one digit; pixels
INK_SIDE, MARGIN, DEPTH = 80, 10, 4  # as in recognition/static/recognition/js/drawing: sent.js and png.js


def colour_canvas(digit: int) -> Image.Image:
    """An RGB canvas of 280x280: a digit in stripes of six colours, anti-aliased, on white."""
    down, across = np.mgrid[:CANVAS, :CANVAS]
    hues = [colorsys.hsv_to_rgb(hue / COLOURS, 0.9, 0.55) for hue in range(COLOURS)]
    stripes = (across + 2 * down + STRIPE * digit) // STRIPE % COLOURS
    ink = Image.fromarray((np.array(hues) * 255).astype(np.uint8)[stripes])
    return Image.composite(ink, Image.new("RGB", ink.size, "white"), draw(digit, CANVAS, ink=255, paper=0))


@cache
def colour_png(digit: int) -> bytes:
    """What `canvas.toDataURL()` holds: colour and alpha, the filter chosen row by row."""
    return encode(colour_canvas(digit).convert("RGBA"))


@cache
def small_png(digit: int) -> bytes:
    """28x28, as the original's page shrinks its canvas before it sends it."""
    canvas = draw(digit, CANVAS).resize((28, 28), Image.Resampling.BILINEAR)
    return encode(canvas.convert("RGBA"))


@cache
def page_png(digit: int) -> bytes:
    """What this page sends: strokes cropped to their ink, black on white, sixteen levels of grey, not compressed."""
    drawn = draw(digit, 2 * CANVAS)
    ink = drawn.crop(drawn.point([255 - level for level in range(256)]).getbbox())
    scale = INK_SIDE / max(ink.size)
    ink = ink.resize((round(ink.width * scale), round(ink.height * scale)), Image.Resampling.BOX)
    sheet = Image.new("L", (ink.width + 2 * MARGIN, ink.height + 2 * MARGIN), 255)
    sheet.paste(ink, (MARGIN, MARGIN))
    return sixteen_levels(np.asarray(sheet))


def sixteen_levels(levels: np.ndarray) -> bytes:
    """A greyscale PNG of four bits a pixel in stored blocks, of an array (height, width) of 0..255."""
    height, width = levels.shape
    nibbles = np.zeros((height, width + width % 2), np.uint8)
    nibbles[:, :width] = levels >> DEPTH
    rows = np.zeros((height, 1 + nibbles.shape[1] // 2), np.uint8)  # each begins with its filter: 0, none
    rows[:, 1:] = nibbles[:, ::2] << DEPTH | nibbles[:, 1::2]
    header = struct.pack(">IIBBBBB", width, height, DEPTH, 0, 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 0)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, content) for kind, content in parts)
