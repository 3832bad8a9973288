"""Give every request an ID, measure it, and log it.

The outermost middleware, so that it sees the refusals and error responses of the others as the client does. Not a
package, because django-guid takes three times as long for the ID alone (docs/decisions.md).
"""

import logging
import random
import re
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from digits_site.observability.logging import request_id
from digits_site.observability.metrics import observe
from digits_site.web.asgi import Application, Receive, Scope, Send

VALID_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
HEADER = "X-Request-ID"
UNKNOWN = "unknown"  # no route matched, or the request was refused before routing
access = logging.getLogger("digits.access")


def request_id_from(header: str | None) -> str:
    """Return the ID that a trusted proxy gave the request, or a new one."""
    if header and settings.TRUSTED_PROXIES > 0 and VALID_ID.fullmatch(header):
        return header
    return f"{random.getrandbits(64):016x}"


def route_name(request: HttpRequest) -> str:
    """Return a label for metrics: few values, whatever paths are requested. The whole admin is one."""
    match = request.resolver_match
    if match is not None:
        return str(match.namespaces[0] if match.namespaces else match.view_name)
    return "static" if request.path_info.startswith(settings.STATIC_URL) else UNKNOWN


class RequestIDMiddleware:
    """Set X-Request-ID, count and time the request, and write the access log, which holds nothing a visitor sent."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        current_id = request_id_from(request.META.get("HTTP_X_REQUEST_ID"))
        token = request_id.set(current_id)
        response = self.get_response(request)  # never raises: Django turns exceptions into responses
        response.headers[HEADER] = current_id
        route, method, seconds = route_name(request), request.method or "", time.perf_counter() - started
        observe(route, method, response.status_code, seconds)
        if access.isEnabledFor(logging.INFO):
            fields = {"method": method, "route": route, "status": response.status_code}
            fields["milliseconds"] = round(seconds * 1000, 2)
            access.info("%s %s %s", method, route, response.status_code, extra={"fields": fields})
        if not getattr(response, "is_async", False):  # an event stream keeps its ID, in a context of its own
            request_id.reset(token)
        return response


class WebSocketRequestID:
    """ASGI middleware that gives a WebSocket an ID for its log lines."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        header = next((value.decode("latin1") for name, value in scope["headers"] if name == b"x-request-id"), None)
        token = request_id.set(request_id_from(header))
        try:
            await self.application(scope, receive, send)
        finally:
            request_id.reset(token)
