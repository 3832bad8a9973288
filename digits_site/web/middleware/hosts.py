"""Refuse requests for other hosts and, in local mode, requests that did not come from this machine."""

import ipaddress
from collections.abc import Callable, Iterable
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port, validate_host

from digits_site.web.asgi import Scope
from digits_site.web.error_responses import error_response
from digits_site.web.errors import NotLocal, ProxiedRequest

# Added by nginx, Apache, HAProxy, Envoy, Cloudflare's tunnel, ngrok, Fly and Akamai.
FORWARDING_HEADERS = {
    *("forwarded", "via", "x-forwarded", "x-original-forwarded", "x-real-ip", "x-client-ip", "x-cluster-client-ip"),
    *("x-envoy-external-address", "cf-connecting-ip", "cf-ray", "true-client-ip", "fastly-client-ip", "fly-client-ip"),
}
FORWARDING_PREFIXES = ("x-forwarded-", "x-original-forwarded-")
MAX_HOST_LENGTH = 255  # of a name in DNS with a port, nearly; a longer Host is not remembered
NO_ADDRESS = {"", "testserver", "unix", "unknown"}  # addresses of a Unix socket and of Django's test client


class HostMiddleware:
    """Check the Host header on every path, health checks and preflights included, against DNS rebinding.

    Local mode has no configured hosts, so it also refuses proxies and the interfaces that other machines can reach.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_host_allowed(request.META.get("HTTP_HOST", "")):
            request.get_host()  # raises DisallowedHost: see digits_site.web.error_responses.bad_request
        if settings.LOCAL:
            if is_proxied(key[5:].lower().replace("_", "-") for key in request.META if key.startswith("HTTP_")):
                return error_response(ProxiedRequest(), request)
            if is_reachable_from_other_machines(request.META.get("SERVER_NAME", "")):
                return error_response(NotLocal(), request)
        return self.get_response(request)


def is_proxied(header_names: Iterable[str]) -> bool:
    """Return whether a proxy has added one of these headers, by their lower-case names."""
    return any(name in FORWARDING_HEADERS or name.startswith(FORWARDING_PREFIXES) for name in header_names)


@lru_cache(maxsize=16)
def is_reachable_from_other_machines(address: str) -> bool:
    """Return whether other machines can reach the server at this address of its own."""
    return address not in NO_ADDRESS and not is_loopback(address)


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach what listens there."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def is_host_allowed(host: str) -> bool:
    """Apply Django's Host rule, without a request to ask, and remember what it said of usual hosts."""
    check = matches_hosts if len(host) <= MAX_HOST_LENGTH else matches_hosts.__wrapped__
    return check(host, tuple(settings.ALLOWED_HOSTS))


@lru_cache(maxsize=64)
def matches_hosts(host: str, allowed: tuple[str, ...]) -> bool:
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, allowed)


def scope_headers(scope: Scope) -> dict[str, str]:
    """Return an ASGI scope's headers by lower-case name; repeated ones are joined, as in Django."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin1").lower(), value.decode("latin1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    return headers


def is_served(scope: Scope, headers: dict[str, str]) -> bool:
    """Apply the rules of HostMiddleware to a scope that bypasses Django's middleware."""
    if settings.LOCAL and (is_proxied(headers) or is_reachable_from_other_machines((scope.get("server") or [""])[0])):
        return False
    return is_host_allowed(headers.get("host", ""))
