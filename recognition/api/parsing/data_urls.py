"""Decode pictures that JSON carries as base64, with a data URL's head or without one."""

import re
from contextlib import suppress
from typing import Any

import pybase64

from recognition.errors import EmptyImage, InvalidBase64, InvalidDataURL, InvalidType

HEAD = re.compile(r"(data:)?([^,]*;)?\s*base64", re.IGNORECASE)
# Shorter text is a word or a path, not a picture: the smallest picture has more bytes.
BARE_BASE64 = re.compile(r"[A-Za-z0-9+/_=\s-]{32,}")
URL_SAFE = bytes.maketrans(b"-_", b"+/")
WHITESPACE = b" \t\r\n\f\v"


def decode_data_url(text: Any) -> bytes:
    """Return the bytes of `data:image/...;base64,...`, whatever its media type, or of base64 alone.

    The base64 may be URL-safe (RFC 4648, section 5), without padding, or wrapped into lines. Raises InvalidType,
    InvalidDataURL, InvalidBase64 and EmptyImage.
    """
    if not isinstance(text, str):
        raise InvalidType
    head, comma, body = text.strip().partition(",")
    if not comma and BARE_BASE64.fullmatch(head):
        body = head
    elif not comma or not HEAD.fullmatch(head.rstrip()):
        raise InvalidDataURL
    try:
        if body and len(body) % 4 == 0:  # as most clients write it
            with suppress(ValueError):
                return pybase64.b64decode(body, validate=True)
        data = body.encode("ascii").translate(URL_SAFE, WHITESPACE)
        if not data:
            raise EmptyImage
        data = data.rstrip(b"=")
        return pybase64.b64decode(data + b"=" * (-len(data) % 4), validate=True)
    except ValueError as error:  # binascii.Error, and non-ASCII text
        raise InvalidBase64 from error
