"""Refuse requests for a host that is not in ALLOWED_HOSTS."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from digits_site.web.asgi import Scope
from digits_site.web.middleware.local_only import is_loopback, is_proxied
from digits_site.web.origins import is_host_allowed


class HostMiddleware:
    """Check the Host header on every path, health checks and preflights included, against DNS rebinding."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.get_host()  # raises DisallowedHost: see digits_site.web.error_views.bad_request
        return self.get_response(request)


def scope_headers(scope: Scope) -> dict[str, str]:
    """Return an ASGI scope's headers by lower-case name; repeated ones are joined, as in Django."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin1").lower(), value.decode("latin1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    return headers


def is_served(scope: Scope, headers: dict[str, str]) -> bool:
    """Apply the rules of HostMiddleware and LocalOnlyMiddleware to a scope that bypasses Django's middleware."""
    if settings.LOCAL:
        server = scope.get("server") or ("", None)
        if is_proxied(headers) or not is_loopback(server[0]):
            return False
    return is_host_allowed(headers.get("host", ""))
