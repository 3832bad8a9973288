"""The camera's orientation in EXIF (TIFF 6.0, section 2), read without Pillow, which would read every tag."""

import struct
from contextlib import suppress

from PIL import Image

ORIENTATION, UPRIGHT, MAX_TAGS = 0x0112, 1, 500
LONG = 4  # the type of 32-bit numbers
TRANSPOSE_BY_ORIENTATION = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}


def orientation(exif: bytes) -> int:
    """Return the camera's orientation, 1 to 8, or UPRIGHT if EXIF does not say or is damaged."""
    return first_tags(exif.removeprefix(b"Exif\0\0")).get(ORIENTATION, UPRIGHT)


def first_tags(tiff: bytes) -> dict[int, int]:
    """Return the first directory's tags and their values, as far as it is whole and they are numbers of 16 or 32 bits.

    Damaged metadata is no reason to refuse an image.
    """
    tags: dict[int, int] = {}
    order = BYTE_ORDERS.get(tiff[:4])
    with suppress(struct.error):
        (first,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, first)
        for at in range(first + 2, first + 2 + 12 * min(count, MAX_TAGS), 12):
            tag, kind = struct.unpack_from(f"{order}HH", tiff, at)
            (tags[tag],) = struct.unpack_from(f"{order}{'I' if kind == LONG else 'H'}", tiff, at + 8)
    return tags


def turn_upright(image: Image.Image, exif: bytes) -> Image.Image:
    """Return the image as the camera was held."""
    transpose = TRANSPOSE_BY_ORIENTATION.get(orientation(exif))
    return image if transpose is None else image.transpose(transpose)
