"""Refuse query parameters that the OpenAPI document does not name: a misspelled one would be ignored."""

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest, HttpResponse

from digits_site.web.error_responses import error_response
from digits_site.web.errors import MAX_SHOWN, InvalidParameter, TooManyParts, unknown_choice
from digits_site.web.openapi.schema import ignores_query
from digits_site.web.openapi.views import document


class QueryParametersMiddleware:
    """To add a parameter, name it in `extend_schema(parameters=[...])` of its view: that allows it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        known_parameters()  # now, not during the first request

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        match, method = request.resolver_match, "GET" if request.method == "HEAD" else request.method
        query = request.META.get("QUERY_STRING")
        if match is None or not query:
            return None
        if "%00" in query:  # PostgreSQL refuses it
            return error_response(InvalidParameter("The query contains a NUL character."), request)
        known = known_parameters().get((anonymous(f"/{match.route}"), method))
        if known is None:
            return None
        try:
            name = next((name for name in request.GET if name not in known), None)
        except TooManyFieldsSent:
            return error_response(TooManyParts(), request)
        if name is None:
            return None
        return error_response(unknown_choice(name[:MAX_SHOWN], name, known, kind="query parameter"), request)


@cache
def known_parameters() -> dict[tuple[str, str | None], list[str]]:
    """Return the names that each operation takes in its query, by route and method; nothing for tolerant ones."""
    return {
        (anonymous(path), method.upper()): [
            parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "query"
        ]
        for path, operations in json.loads(document())["paths"].items()
        if not ignores_query(path)
        for method, operation in operations.items()
    }


@cache
def anonymous(route: str) -> str:
    """Return a route of the URLconf, or a path of the document, without the names of its parameters."""
    return re.sub(r"<[^>]+>|\{\w+\}", "{}", route)
