"""Refuse what another site's page sends: requests, event streams and WebSocket handshakes."""

import re
from collections.abc import Callable, Mapping
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from digits_site.web.asgi import Application, Receive, Scope, Send
from digits_site.web.error_responses import error_response
from digits_site.web.errors import BadOrigin
from digits_site.web.middleware.body_limit import SAFE_METHODS
from digits_site.web.middleware.hosts import is_served, scope_headers

# As browsers write one (RFC 6454); URL parsers also accept tabs, users and leading zeros.
ORIGIN = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([1-9]\d{0,4}))?")
DEFAULT_PORTS = {"http": 80, "https": 443}


@cache
def event_stream_path() -> str:
    return reverse("progress")


class OriginMiddleware:
    """Refuse the unsafe requests of another site's pages, and their event streams, because these stay open."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_guarded = request.method not in SAFE_METHODS or request.path_info == event_stream_path()
        if is_guarded and not self.is_trusted(request):
            return error_response(BadOrigin(), request)
        return self.get_response(request)

    @staticmethod
    def is_trusted(request: HttpRequest) -> bool:
        """Check Origin or, without one, Sec-Fetch-Site. Browsers send one of them; other clients send neither.

        `same-site` without an Origin is refused: it may be any port of this machine, and trusted origins name their
        port.
        """
        origin = request.META.get("HTTP_ORIGIN")
        if origin is None:
            return request.META.get("HTTP_SEC_FETCH_SITE") in {None, "same-origin", "none"}
        return is_origin_allowed(origin, request.scheme or "http", request.META.get("HTTP_HOST", ""))


class OriginGuard:
    """ASGI middleware with the same rules for WebSocket handshakes."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = scope_headers(scope)
        if is_served(scope, headers) and self.is_trusted(scope, headers):
            await self.application(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 4403})

    @staticmethod
    def is_trusted(scope: Scope, headers: Mapping[str, str]) -> bool:
        if "sec-websocket-origin" in headers:  # older than RFC 6455
            return False
        scheme = "https" if settings.HTTPS or scope.get("scheme") == "wss" else "http"
        return "origin" not in headers or is_origin_allowed(headers["origin"], scheme, headers["host"])


def is_origin_allowed(origin: str, scheme: str, host: str) -> bool:
    """Return whether a page of `origin` may call `host` (a Host header): it is the same origin, or a trusted one."""
    allowed = {parse_origin(f"{scheme}://{host}"), *map(parse_origin, settings.TRUSTED_ORIGINS)} - {None}
    return parse_origin(origin) in allowed


def parse_origin(origin: str) -> tuple[str, str, int] | None:
    """Return `(scheme, host, port)` of an Origin header, or None for `null` and anything else."""
    match = ORIGIN.fullmatch(origin.lower())
    if match is None:
        return None
    scheme, host, port = match.groups()
    return scheme, host, int(port or DEFAULT_PORTS[scheme])
