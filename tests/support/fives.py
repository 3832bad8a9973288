"""The digit five in many files: every mode and polarity, damaged, and beside a compressed bomb."""

import zlib

import numpy as np
from PIL import Image

from tests.support.drawings import draw, encode, interlaced

CLEAR = (0, 0, 0, 0)
PNG = encode(draw(5))
JPEG = encode(draw(5), "JPEG")
WEBP = encode(draw(5), "WEBP")
BAD_CRC = PNG[:45] + bytes([PNG[45] ^ 0xFF]) + PNG[46:]
# A few kB that decompress to 50 MB.
BOMB = zlib.compress(bytes(50_000_000), 9)


def rotated(kind: str) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encode(draw(5).transpose(Image.Transpose.ROTATE_90), kind, exif=exif, quality=92)


def margins() -> Image.Image:
    page = Image.new("RGBA", (400, 360), CLEAR)
    page.paste(draw(5).convert("RGBA"), (60, 40))
    return page


RED, GREEN, BLUE = (255, 0, 0), (0, 130, 0), (20, 40, 230)

SAME = {
    "JPEG": encode(draw(5), "JPEG", quality=85),
    "WebP": encode(draw(5), "WEBP"),
    "white on black": encode(draw(5, ink=255, paper=0)),
    "RGB": encode(draw(5).convert("RGB")),
    "RGBA": encode(draw(5).convert("RGBA")),
    "LA": encode(draw(5).convert("LA")),
    "palette": encode(draw(5).convert("RGB").quantize(16)),
    "1-bit": encode(draw(5).convert("1", dither=Image.Dither.NONE)),
    "I;16": encode(Image.fromarray(np.asarray(draw(5)).astype(np.uint16) * 257)),
    "I;16 inverted": encode(Image.fromarray(65535 - np.asarray(draw(5)).astype(np.uint16) * 257)),
    "CMYK JPEG": encode(draw(5).convert("RGB").convert("CMYK"), "JPEG", quality=90),
    "interlaced": interlaced(draw(5)),
    "EXIF-rotated JPEG": rotated("JPEG"),
    "EXIF-rotated WebP": rotated("WEBP"),
    "transparent colour": encode(draw(5).convert("RGB"), transparency=(255, 255, 255)),
    "grey on white": encode(draw(5, ink=170)),
    "faint": encode(draw(5, ink=200, paper=240)),
    "red on white": encode(draw(5, ink=RED, paper=(255, 255, 255), mode="RGB")),
    "yellow on blue": encode(draw(5, ink=(255, 240, 0), paper=BLUE, mode="RGB")),
    "red on a green as bright": encode(draw(5, ink=RED, paper=GREEN, mode="RGB")),
    "black on transparent": encode(draw(5, ink=(0, 0, 0, 255), paper=CLEAR, mode="RGBA")),
    "white on transparent": encode(draw(5, ink=(255, 255, 255, 255), paper=CLEAR, mode="RGBA")),
    "blue on transparent": encode(draw(5, ink=(*BLUE, 255), paper=CLEAR, mode="RGBA")),
    "half-transparent ink": encode(draw(5, ink=(0, 0, 0, 110), paper=CLEAR, mode="RGBA")),
    "transparent WebP": encode(draw(5, ink=(0, 0, 0, 255), paper=CLEAR, mode="RGBA"), "WEBP", lossless=True),
    "filled canvas in RGBA": encode(draw(5, ink=(255, 255, 255, 255), paper=(0, 0, 0, 255), mode="RGBA")),
    "page with clear margins": encode(margins()),
}
