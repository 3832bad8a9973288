"""In local mode, serve this machine only: nothing is configured, so no proxy and no outside interface is let in."""

import ipaddress
import re
from collections.abc import Callable, Iterable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from digits_site.web.error_responses import error_response
from digits_site.web.errors import NotLocal, ProxiedRequest

# Added by nginx, Apache, HAProxy, Envoy, Cloudflare's tunnel, ngrok, Fly and Akamai.
FORWARDING_HEADERS = re.compile(
    r"x-(original-)?forwarded(-.+)?|forwarded|via|x-real-ip|x-(cluster-)?client-ip|x-envoy-external-address"
    r"|cf-(connecting-ip|ray)|(true|fastly|fly)-client-ip"
)


def is_proxied(header_names: Iterable[str]) -> bool:
    """Return whether a proxy has added one of these headers."""
    return any(FORWARDING_HEADERS.fullmatch(name.lower()) for name in header_names)


def is_loopback(address: str) -> bool:
    """Return whether only this machine can reach the server's own address."""
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address in {"localhost", "testserver", "unix", "unknown", ""}


class LocalOnlyMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.LOCAL:
            if is_proxied(request.headers):
                return error_response(ProxiedRequest(), request)
            if not is_loopback(request.META.get("SERVER_NAME", "")):
                return error_response(NotLocal(), request)
        return self.get_response(request)
