"""In local mode, serve this machine alone."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from digits_site.web import errors
from digits_site.web.error_responses import error_response

# What nginx, Apache, HAProxy, Envoy, Cloudflare's tunnel, ngrok, Fly and Akamai add to what they pass on.
FORWARDING = re.compile(
    r"x-(original-)?forwarded(-.+)?|forwarded|via|x-real-ip|x-(cluster-)?client-ip|x-envoy-external-address"
    r"|cf-(connecting-ip|ray)|(true|fastly|fly)-client-ip"
)


def came_through_a_proxy(names: Iterable[str]) -> bool:
    """Whether a proxy has added to these headers; of their names."""
    return any(FORWARDING.fullmatch(name.lower()) for name in names)


def is_loopback(address: str) -> bool:
    """Whether a socket's own address is one that only this machine can reach."""
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address in {"localhost", "testserver", "unix", "unknown", ""}


class LocalOnlyMiddleware:
    """In local mode nothing is configured, so nothing from outside may get in: no proxy, no foreign interface."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.LOCAL:
            if came_through_a_proxy(request.headers):
                return error_response(errors.ProxiedRequest(), request)
            if not is_loopback(request.META.get("SERVER_NAME", "")):
                return error_response(errors.NotLocal(), request)
        return self.get_response(request)
