"""Refuse request bodies over MAX_BODY_BYTES."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from digits_site.web.error_responses import error_response
from digits_site.web.errors import PayloadTooLarge

SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}


class BodyLimitMiddleware:
    """Refuse a body over the limit, whatever its Content-Length says or omits (chunked)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in SAFE_METHODS:
            return self.get_response(request)
        limit = settings.MAX_BODY_BYTES
        declared = request.META.get("CONTENT_LENGTH") or "0"
        declared_too_large = declared.isdigit() and int(declared) > limit
        body = b"" if declared_too_large else body_stream(request).read(limit + 1)
        if declared_too_large or len(body) > limit:
            return error_response(PayloadTooLarge(limit), request)
        request._body = body  # where Django keeps a body that has been read
        # A chunked body has no length, and a parser that trusts the header would take it for empty.
        request.META["CONTENT_LENGTH"] = str(len(body))
        return self.get_response(request)


def body_stream(request: HttpRequest) -> Any:
    """Return the stream to read: under WSGI, Django's own is empty for a chunked body that the server has decoded."""
    chunked = "HTTP_TRANSFER_ENCODING" in request.META and request.META.get("wsgi.input_terminated")
    return request.META["wsgi.input"] if chunked else request
