"""Every request gets a number, is measured, and leaves a line in the log: the outermost middleware.

Outermost, so that refusals by the other middleware, and answers to what went wrong, are seen as the caller sees them.
"""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from digits_site.observability.context import request_id
from digits_site.observability.metrics import observe

SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
HEADER = "X-Request-ID"
UNKNOWN = "unknown"  # no route: a path that leads nowhere, or a refusal before the path was looked at
access = logging.getLogger("digits.access")


def new_id(given: str | None) -> str:
    """The id that a proxy of ours gave the request, if there is one; else one of our own."""
    if given and settings.TRUSTED_PROXIES > 0 and SANE_ID.fullmatch(given):
        return given
    return f"{random.getrandbits(64):016x}"


def route_of(request: HttpRequest) -> str:
    """The name of what answered: bounded, whatever paths are asked for. The whole admin is one."""
    match = request.resolver_match
    if match is not None:
        return str(match.namespaces[0] if match.namespaces else match.view_name)
    return "static" if request.path_info.startswith(settings.STATIC_URL) else UNKNOWN


class ObservationMiddleware:
    """First in MIDDLEWARE. Nothing that a visitor sent gets into the log but the method."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        own_id = new_id(request.META.get("HTTP_X_REQUEST_ID"))
        token = request_id.set(own_id)
        response = self.get_response(request)  # raises nothing: Django has made every exception a response
        response.headers[HEADER] = own_id
        route, method, seconds = route_of(request), request.method or "", time.perf_counter() - began
        observe(route, method, response.status_code, seconds)
        if access.isEnabledFor(logging.INFO):
            log(route, method, response.status_code, seconds)
        if not getattr(response, "is_async", False):  # an event stream keeps its number; its context is its own
            request_id.reset(token)
        return response


def log(route: str, method: str, status: int, seconds: float) -> None:
    fields = {"method": method, "route": route, "status": status, "milliseconds": round(seconds * 1000, 2)}
    access.info("%s %s %s", method, route, status, extra={"fields": fields})


class NumberedSockets:
    """The same for WebSockets, as far as the number goes: it is in every line that a socket logs."""

    def __init__(self, application: Callable[..., Any]) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        given = next((value.decode("latin1") for name, value in scope["headers"] if name == b"x-request-id"), None)
        token = request_id.set(new_id(given))
        try:
            await self.application(scope, receive, send)
        finally:
            request_id.reset(token)
