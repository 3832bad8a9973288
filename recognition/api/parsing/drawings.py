"""Get the drawings out of a request, and prepare them for the network."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any, Generic, TypeVar

from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from digits_site.web.error_responses import count_and_serialize
from digits_site.web.parsers import StrictJSONParser, parse_finite
from recognition import errors, metrics
from recognition.api.parsing.data_urls import decode_data_url
from recognition.api.parsing.decode_slots import decode_slot
from recognition.api.parsing.pixels import encode_pixels
from recognition.imaging import Candidate, EncodedImage, Pixels, Segment

Found = TypeVar("Found")  # what is found in a picture: the candidates of a digit, or a line of digits

# A few kilobytes can unfold into sixteen million pixels. A batch may have as many as two of the largest pictures, which
# is 256 of 360x360.
MAX_BATCH_PIXELS = 2 * errors.MAX_SIDE**2


class ImageParser(BaseParser):
    """Take an `image/*` body as it is. Its bytes decide the format, not the header."""

    media_type = "image/*"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        return stream.read()


class DrawingJSONParser(StrictJSONParser):
    """Parse JSON with line breaks in its strings (a shell's `base64` wraps it), and with NaN where pixels may be."""

    def loads(self, text: str) -> Any:
        constants: list[str] = []  # NaN and Infinity; each becomes None, which InvalidPixels refuses
        data = json.loads(text, strict=False, parse_float=parse_finite, parse_constant=constants.append)
        if constants and not (isinstance(data, dict) and {"pixels", "drawings"} & data.keys()):
            raise ValueError(f"{constants[0]} is not JSON")
        return data


def drawing_from(request: Request) -> bytes:
    """Return the picture in JSON, in a multipart file named `drawing`, or in a raw `image/*` body.

    Raises the RecognitionError that fits. DRF's parsing raises ParseError and UnsupportedMediaType.
    """
    if not request.content_type and int(request.META.get("CONTENT_LENGTH") or 0):
        raise UnsupportedMediaType("", detail="Set Content-Type: application/json, multipart/form-data or image/*.")
    data: Any = request.data
    if isinstance(data, bytes):
        return data
    upload = request.FILES.get("drawing")
    if upload is not None:
        return bytes(upload.read())
    data = json_object(request)
    if "drawing" in data:
        return decode_data_url(data["drawing"])
    if "pixels" in data:
        return encode_pixels(data["pixels"])
    raise errors.MissingDrawing


def drawings_from(request: Request) -> list[Any]:
    """Return the list in `{"drawings": [...]}`, whatever its elements are. Raises as `drawing_from` does."""
    drawings = json_object(request).get("drawings")
    if not isinstance(drawings, list) or not drawings:
        raise errors.MissingDrawings
    if len(drawings) > errors.MAX_DRAWINGS:
        raise errors.TooManyDrawings
    return drawings


def json_object(request: Request) -> Mapping[str, Any]:
    """Return the body's JSON object. Raises ParseError and NotAnObject."""
    data: Any = request.data
    if not data and not int(request.META.get("CONTENT_LENGTH") or 0):
        raise ParseError("The body is empty.")
    if not isinstance(data, dict):
        raise errors.NotAnObject
    return data


@dataclass(frozen=True)
class Drawing(Generic[Found]):
    """A picture that is ready for the network: what was found in it, and the size in which it was decoded."""

    found: Found
    size: tuple[int, int]  # pixels; smaller than the picture if it was decoded reduced
    scale: float  # the picture's pixels for each decoded one, along a side

    def box(self, candidate: Candidate | Segment) -> list[int]:
        """Return left, top, width and height of a candidate in the picture's pixels, no further than it reaches."""
        x, y, across, down = candidate.box()
        left, top, right, bottom = (round(side * self.scale) for side in (x, y, x + across, y + down))
        width, height = (round(side * self.scale) for side in self.size)
        return [left, top, min(right, width) - left, min(bottom, height) - top]

    def field(self, candidate: Candidate) -> list[float]:
        """Return left, top, width and height, in the picture's pixels, of the square that became 28x28."""
        left, top, side = (length * self.scale for length in candidate.field())
        return [round(length, 2) for length in (left, top, side, side)]


def prepare(picture: EncodedImage, find: Callable[[Pixels], Found]) -> Drawing[Found]:
    """Decode a picture in a slot, and find something in it.

    Raises DecodingBusy, CorruptImage and what `find` raises.
    """
    with decode_slot(picture.cost):
        with metrics.decode.time():
            pixels = picture.decode()
        with metrics.prepare.time():
            height, width = pixels.shape[:2]
            return Drawing(find(pixels), (width, height), (picture.pixels / (width * height)) ** 0.5)


def prepare_batch(drawings: list[Any], find: Callable[[Pixels], Found]) -> Iterator[Drawing[Found] | dict[str, Any]]:
    """Yield each drawing, which is a data URL or `{"pixels": [...]}`, or its error's JSON. Raises DecodingBusy."""
    room = MAX_BATCH_PIXELS
    for drawing in drawings:
        try:
            is_pixels = isinstance(drawing, dict) and "pixels" in drawing
            picture = EncodedImage(encode_pixels(drawing["pixels"]) if is_pixels else decode_data_url(drawing))
            room -= picture.cost
            if room < 0:
                raise errors.ImageTooLarge("The drawings of a request have too many pixels in total. Send fewer.")
            yield prepare(picture, find)
        except errors.RecognitionError as error:
            yield count_and_serialize(error)
