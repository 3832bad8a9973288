"""JSON as the API takes it: strict numbers, bounded nesting, one kind of error."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser


def finite(text: str) -> float:
    """A JSON number; 1e400 is written as one, but no float holds it."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("number out of range")
    return number


def refuse(text: str) -> float:
    """NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(f"{text} is not JSON")


class StrictJSONParser(BaseParser):
    """application/json in UTF-8; raises ParseError for whatever is not JSON, nested too deep included."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        charset = (media_type or "").partition("charset=")[2].strip(" \"'").lower()
        if charset not in {"", "utf-8", "utf8"}:
            raise UnsupportedMediaType(media_type or "", detail="JSON is read in UTF-8.")
        try:
            text = stream.read().decode("utf-8")
            data = json.loads(text, parse_float=finite, parse_constant=refuse)
            if "\\ud" in text.lower():  # half of a pair escapes the decoding above, and no answer could repeat it
                json.dumps(data, ensure_ascii=False).encode()
            return data
        except (ValueError, RecursionError) as error:
            raise ParseError("The body is not valid JSON.") from error
