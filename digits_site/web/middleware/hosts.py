"""Refuse requests for a host that is not named in ALLOWED_HOSTS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from digits_site.web.middleware.local_only import came_through_a_proxy, is_loopback
from digits_site.web.origins import host_allowed


class HostMiddleware:
    """Every path answers to its own host names alone, health and preflights too: a rebound name gets nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.get_host()  # raises DisallowedHost: the 400 of digits_site.web.error_views.bad_request
        return self.get_response(request)


def headers_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """An ASGI request's headers by their lower-case names; one that was sent twice has both values, as in Django."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin1").lower(), value.decode("latin1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    return headers


def served(scope: Mapping[str, Any], headers: dict[str, str]) -> bool:
    """HostMiddleware's and LocalOnlyMiddleware's rules for what is answered before Django."""
    if settings.LOCAL:
        server = scope.get("server") or ("", None)
        if came_through_a_proxy(headers) or not is_loopback(server[0]):
            return False
    return host_allowed(headers.get("host", ""))
