"""The digit five in many files: every mode and polarity, damaged, and beside a compressed bomb."""

import struct
import zlib

import numpy as np
import pillow_heif
from PIL import Image

from tests.support.drawings import chunk, draw, encode, interlaced

pillow_heif.register_heif_opener()  # so that tests can write HEIC

CLEAR = (0, 0, 0, 0)
PNG = encode(draw(5))
JPEG = encode(draw(5), "JPEG")
WEBP = encode(draw(5), "WEBP")
BAD_CRC = PNG[:45] + bytes([PNG[45] ^ 0xFF]) + PNG[46:]
# A few kB that decompress to 50 MB.
BOMB = zlib.compress(bytes(50_000_000), 9)


def rotated(kind: str) -> bytes:
    """A picture that lies on its side, and says so."""
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = draw(5).convert("RGB").transpose(Image.Transpose.ROTATE_90)
    if kind == "HEIF":
        picture.info["exif"] = exif.tobytes()  # the encoder turns it into a box of its own, as phones do
        return encode(picture, kind)
    return encode(picture, kind, exif=exif, quality=92)


def animated(kind: str) -> bytes:
    """A five that appears in the third frame."""
    blank, also_blank = Image.new("RGB", (280, 280), "white"), Image.new("RGB", (280, 280), (250, 250, 250))
    return encode(blank, kind, save_all=True, append_images=[also_blank, draw(5).convert("RGB"), draw(2)], duration=40)


def deep(bands: int, ink: int, paper: int, noise: float = 0.0, alpha: bool = False, digit: int | None = 5) -> bytes:
    """A PNG with 16 bits for each of its bands."""
    rng, kind = np.random.default_rng(1), {1: 0, 2: 4, 3: 2, 4: 6}[bands]
    shape = np.asarray(draw(digit)) / 255 if digit is not None else np.ones((280, 280))
    levels = ink + (paper - ink) * shape[..., None].repeat(bands, axis=2)
    levels += rng.normal(0, noise, levels.shape) if noise else 0
    if alpha:
        levels[..., -1] = 65535
    rows = np.rint(levels).clip(0, 65535).astype(">u2").reshape(280, -1)
    header = struct.pack(">IIBBBBB", 280, 280, 16, kind, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    return PNG[:8] + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def margins() -> Image.Image:
    page = Image.new("RGBA", (400, 360), CLEAR)
    page.paste(draw(5).convert("RGBA"), (60, 40))
    return page


ALPHA = ("HEIF", "AVIF", "TIFF")
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
    **{f"rotated {kind}": rotated(kind) for kind in ("PNG", "JPEG", "WEBP", "HEIF", "AVIF", "TIFF")},
    **{f"empty frames first in {kind}": animated(kind) for kind in ("PNG", "WEBP", "GIF", "AVIF", "TIFF")},
    **{kind: encode(draw(5).convert("RGB"), kind) for kind in ("HEIF", "AVIF", "GIF", "BMP", "TIFF")},
    **{f"{kind} on transparent": encode(draw(5, ink=(0, 0, 0, 255), paper=CLEAR, mode="RGBA"), kind) for kind in ALPHA},
    "1-bit BMP": encode(draw(5).convert("1", dither=Image.Dither.NONE), "BMP"),
    "palette TIFF, LZW": encode(draw(5).convert("RGB").quantize(16), "TIFF", compression="tiff_lzw"),
    "fax TIFF": encode(draw(5).convert("1", dither=Image.Dither.NONE), "TIFF", compression="group4"),
    "I;16 TIFF": encode(Image.fromarray(np.asarray(draw(5)).astype(np.uint16) * 257), "TIFF"),
    "HEIC of tiles": encode(draw(5, 600).convert("RGB"), "HEIF", tile_size=256),
    **{f"16 bits, {n} bands, faint": deep(n, 30000, 30100, 4, alpha=n in (2, 4)) for n in (1, 2, 3, 4)},
    "16 bits, chalk": deep(3, 5000, 3000, 30),
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
