"""From a request's body to the bytes of a picture."""

from typing import Any

from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.request import Request

from recognition.api.preparation import MOST_DRAWINGS
from recognition.errors import (
    EmptyImage,
    InvalidType,
    MissingDrawing,
    MissingDrawings,
    NotAnObject,
    TooManyDrawings,
)
from recognition.imaging.decoding import decode_data_url


def drawing_from(request: Request) -> bytes:
    """The drawing in a JSON data URL, a multipart file named `drawing`, or a raw `image/*` body.

    Raises the RecognitionError that fits; ParseError and UnsupportedMediaType come from DRF's parsing.
    """
    if not request.META.get("CONTENT_TYPE") and int(request.META.get("CONTENT_LENGTH") or 0):
        raise UnsupportedMediaType("", detail="Say what the body is: application/json, multipart or image/*.")
    data: Any = request.data
    if isinstance(data, bytes):
        return whole(data)
    upload = request.FILES.get("drawing")
    if upload is not None:
        return whole(upload.read())
    if not int(request.META.get("CONTENT_LENGTH") or 0):
        raise ParseError("The body is empty.")
    if not isinstance(data, dict):
        raise NotAnObject
    if "drawing" not in data:
        raise MissingDrawing
    if not isinstance(data["drawing"], str):
        raise InvalidType
    return decode_data_url(data["drawing"])


def whole(picture: bytes) -> bytes:
    if not picture:
        raise EmptyImage
    return picture


def drawings_from(request: Request) -> list[Any]:
    """The list in `{"drawings": [...]}`, whatever its elements are.

    Raises the RecognitionError that fits; ParseError and UnsupportedMediaType come from DRF's parsing.
    """
    if not int(request.META.get("CONTENT_LENGTH") or 0):
        raise ParseError("The body is empty.")
    data: Any = request.data
    if not isinstance(data, dict):
        raise NotAnObject
    drawings = data.get("drawings")
    if not isinstance(drawings, list) or not drawings:
        raise MissingDrawings
    if len(drawings) > MOST_DRAWINGS:
        raise TooManyDrawings
    return drawings
