"""Refuse request bodies over MAX_BODY_BYTES."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from digits_site.web import errors
from digits_site.web.error_responses import error_response

SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}


class BodyLimitMiddleware:
    """Refuses a body over the limit, whatever its Content-Length says or does not say (chunked)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in SAFE_METHODS:
            return self.get_response(request)
        limit = settings.MAX_BODY_BYTES
        declared = request.META.get("CONTENT_LENGTH") or "0"
        body = b"" if declared.isdigit() and int(declared) > limit else self.source(request).read(limit + 1)
        if len(body) > limit or (declared.isdigit() and int(declared) > limit):
            return error_response(errors.PayloadTooLarge(limit), request)
        request._body = body  # what Django keeps a body in once it has been read
        # A chunked body has no length, and a parser that trusts the header would take it for empty.
        request.META["CONTENT_LENGTH"] = str(len(body))
        return self.get_response(request)

    @staticmethod
    def source(request: HttpRequest) -> Any:
        """Under WSGI Django reads nothing of a chunked body; a server that says so has decoded it and marks its end."""
        chunked = "HTTP_TRANSFER_ENCODING" in request.META and request.META.get("wsgi.input_terminated")
        return request.META["wsgi.input"] if chunked else request
