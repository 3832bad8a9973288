"""A picture as the whole body of a request."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser


class PictureParser(BaseParser):
    """`image/*`: the bytes as they are; what they hold is decided by looking at them, not by the header."""

    media_type = "image/*"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        return stream.read()
