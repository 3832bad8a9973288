"""The API's JSON parser: strict numbers, bounded nesting, one kind of error."""

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, Any

import orjson
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser


def parse_finite(text: str) -> float:
    """Parse a JSON number. Raises ValueError for one like 1e400, which no float holds."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("number out of range")
    return number


def refuse_constant(text: str) -> float:
    """Refuse NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(f"{text} is not JSON")


class StrictJSONParser(BaseParser):
    """Parse application/json in UTF-8. Own code: DRF's fails on deep nesting and reads 1e400 as infinity."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        charset = (media_type or "").partition("charset=")[2].strip(" \"'").lower()
        if charset not in {"", "utf-8", "utf8"}:
            raise UnsupportedMediaType(media_type or "", detail="JSON is read in UTF-8.")
        body = stream.read()
        with suppress(orjson.JSONDecodeError):  # it is stricter than this parser, and ten times as fast
            return orjson.loads(body)
        try:
            text = body.decode("utf-8-sig")  # some programs write a byte order mark
            data = self.loads(text)
            if "\\ud" in text.lower():  # an escaped lone surrogate, which no response could repeat
                json.dumps(data, ensure_ascii=False).encode()
            return data
        except (ValueError, RecursionError) as error:
            raise ParseError("The body is not valid JSON.") from error

    def loads(self, text: str) -> Any:
        """Return the text's value. Raises ValueError and RecursionError."""
        return json.loads(text, parse_float=parse_finite, parse_constant=refuse_constant)
