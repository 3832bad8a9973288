"""Refuse what another site's page sends: requests, event streams and WebSocket handshakes."""

from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from digits_site.web.asgi import Application, Receive, Scope, Send
from digits_site.web.error_responses import error_response
from digits_site.web.errors import BadOrigin
from digits_site.web.middleware.body_limit import SAFE_METHODS
from digits_site.web.middleware.hosts import is_served, scope_headers
from digits_site.web.origins import is_origin_allowed


@cache
def event_stream_path() -> str:
    return reverse("progress")


class OriginMiddleware:
    """Refuse unsafe methods from another site's page, and the event stream, which it would hold open."""

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
        origin = request.headers.get("Origin")
        if origin is None:
            return request.headers.get("Sec-Fetch-Site") in {None, "same-origin", "none"}
        return is_origin_allowed(origin, scheme=request.scheme or "http", host=request.META.get("HTTP_HOST", ""))


class OriginGuard:
    """ASGI middleware with the same rules for WebSocket handshakes."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.is_trusted(scope):
            await self.application(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 4403})

    @staticmethod
    def is_trusted(scope: Scope) -> bool:
        headers = scope_headers(scope)
        if not is_served(scope, headers) or "sec-websocket-origin" in headers:  # the latter is older than RFC 6455
            return False
        scheme = "https" if settings.HTTPS or scope.get("scheme") == "wss" else "http"
        return "origin" not in headers or is_origin_allowed(headers["origin"], scheme=scheme, host=headers["host"])
