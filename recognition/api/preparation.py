"""Bytes to 28x28, measured; and many at once: each is prepared or refused by itself, all together are bounded."""

from __future__ import annotations

from typing import Any

from digits_site.observability.metrics import count_refusal
from recognition import metrics
from recognition.api.decode_slots import turn
from recognition.errors import Busy, ImageTooLarge, InvalidType, RecognitionError
from recognition.imaging.decoding import LARGEST_SIDE, decode_data_url, pixels, read_image
from recognition.imaging.preprocessing import Grid, prepare_image

MOST_DRAWINGS = 256
# A few kilobytes can unfold into sixteen million pixels: together the drawings of a batch may have as many as two
# of the largest, which is 256 of 360x360.
MOST_PIXELS = 2 * LARGEST_SIDE**2


def prepare(data: bytes) -> Grid:
    """A (28, 28) array of an encoded picture. Raises Busy, and what `prepare_image` raises."""
    with turn(pixels(data)):
        with metrics.stage("decode"):
            image = read_image(data)
        with metrics.stage("prepare"):
            return prepare_image(image)


def prepare_all(drawings: list[Any]) -> list[Grid | dict[str, str]]:
    """For each data URL its (28, 28) array, or the error's `code`, `message` and `detail`. Raises Busy."""
    prepared: list[Grid | dict[str, str]] = []
    room = MOST_PIXELS
    for drawing in drawings:
        try:
            if not isinstance(drawing, str):
                raise InvalidType
            data = decode_data_url(drawing)
            room -= pixels(data)
            if room < 0:
                raise ImageTooLarge("The drawings of one request have too many pixels together.")
            prepared.append(prepare(data))
        except Busy:
            raise
        except RecognitionError as error:
            count_refusal(error.code)
            prepared.append({"code": error.code, "message": str(error), "detail": str(error)})
    return prepared
