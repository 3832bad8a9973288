"""Turn an encoded picture into the 28x28 array that a network trained on MNIST expects. Plain Python: no Django.

decoding (bytes to image) -> polarity (ink or background) -> segmentation (where the digit is) -> preprocessing; all of
it for every candidate, where something else than the digit may be in the picture.
"""

import base64
import re
from typing import Any

from recognition.errors import EmptyImage, InvalidBase64, InvalidDataURL, InvalidType
from recognition.imaging.candidates import Candidate, Doubt, find_candidates, preprocess
from recognition.imaging.decoding import EncodedImage
from recognition.imaging.preprocessing import Grid, encode_png

__all__ = [
    "Candidate",
    "Doubt",
    "EncodedImage",
    "Grid",
    "decode_data_url",
    "encode_png",
    "find_candidates",
    "prepare",
    "preprocess",
]

DATA_URL_HEAD = re.compile(r"data:[^,]*;base64", re.IGNORECASE)


def prepare(data: bytes) -> Grid:
    """Return an encoded picture as float32 (28, 28), ink 1.0 on 0.0.

    Raises EmptyImage, UnsupportedImage, CorruptImage, ImageTooLarge, ImageTooSmall and BlankDrawing.
    """
    return preprocess(EncodedImage(data).decode())


def decode_data_url(text: Any) -> bytes:
    """Return the bytes of `data:image/...;base64,...`, ignoring whitespace around it and the media type.

    Raises InvalidType, InvalidDataURL, InvalidBase64 and EmptyImage.
    """
    if not isinstance(text, str):
        raise InvalidType
    head, comma, body = text.strip().partition(",")
    if not comma or not DATA_URL_HEAD.fullmatch(head.rstrip()):
        raise InvalidDataURL
    body = body.strip()
    if not body:
        raise EmptyImage
    try:
        return base64.b64decode(body, validate=True)
    except ValueError as error:  # binascii.Error, and non-ASCII text
        raise InvalidBase64 from error
