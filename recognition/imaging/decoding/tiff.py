"""The size of a TIFF (TIFF 6.0, section 2). Everything else in it is left to libtiff, in a process of its own."""

from recognition.errors import CorruptImage
from recognition.imaging.decoding.exif import first_tags

WIDTH, HEIGHT = 0x0100, 0x0101


def size(data: bytes) -> tuple[int, int]:
    """Return (width, height) of the first page. Raises CorruptImage, and struct.error for a file cut short."""
    tags = first_tags(data)
    if WIDTH not in tags or HEIGHT not in tags:
        raise CorruptImage
    return tags[WIDTH], tags[HEIGHT]
