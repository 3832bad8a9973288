"""Content negotiation for an API that speaks JSON."""

from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class JSONNegotiation(DefaultContentNegotiation):
    """DRF's negotiation, which costs a tenth of a request, where the request leaves something to choose."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> Any:
        exact = (parser for parser in parsers if parser.media_type == request.content_type)
        return next(exact, None) or super().select_parser(request, parsers)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> Any:
        first, meta = next(iter(renderers)), request.META
        is_open = meta.get("HTTP_ACCEPT", "*/*") in {"*/*", first.media_type}
        if is_open and not meta.get("QUERY_STRING") and not format_suffix:
            return first, first.media_type
        return super().select_renderer(request, renderers, format_suffix)
