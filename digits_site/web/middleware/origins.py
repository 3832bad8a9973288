"""Refuse what another site's page sends: requests, event streams and WebSocket handshakes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from digits_site.web import errors
from digits_site.web.error_responses import error_response
from digits_site.web.middleware.body_limit import SAFE_METHODS
from digits_site.web.middleware.hosts import headers_of, served
from digits_site.web.origins import origin_allowed

Scope = dict[str, Any]


@cache
def event_stream() -> str:
    return reverse("progress")


class OriginMiddleware:
    """Refuses what another site's page sends, and the event stream that it would hold open."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        matters = request.method not in SAFE_METHODS or request.path_info == event_stream()
        if matters and not self.trusted(request):
            return error_response(errors.BadOrigin(), request)
        return self.get_response(request)

    @staticmethod
    def trusted(request: HttpRequest) -> bool:
        """A browser names the page's Origin, or says in Sec-Fetch-Site how far it is from here; other clients neither.

        `same-site` without an Origin is refused: it may be any port of this machine, and pages that may call are told
        apart by their port.
        """
        origin = request.headers.get("Origin")
        if origin is None:
            return request.headers.get("Sec-Fetch-Site") in {None, "same-origin", "none"}
        return origin_allowed(origin, scheme=request.scheme or "http", host=request.META.get("HTTP_HOST", ""))


class OriginGuard:
    """The same rules for WebSocket handshakes: refused before the consumer exists."""

    def __init__(self, application: Callable[..., Any]) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        if self.admits(scope):
            await self.application(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 4403})

    @staticmethod
    def admits(scope: Scope) -> bool:
        headers = headers_of(scope)
        if not served(scope, headers) or "sec-websocket-origin" in headers:  # the latter: a protocol before RFC 6455
            return False
        scheme = "https" if settings.HTTPS or scope.get("scheme") == "wss" else "http"
        return "origin" not in headers or origin_allowed(headers["origin"], scheme=scheme, host=headers["host"])
