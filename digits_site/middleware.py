"""What every request meets first: foreign host names and other sites' pages are refused, bodies are bounded."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from digits_site.origins import host_allowed, origin_allowed
from digits_site.problems import problem

GetResponse = Callable[[HttpRequest], HttpResponse]
SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}
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

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.LOCAL:
            if came_through_a_proxy(request.headers):
                return problem(403, "proxied_request", "Local mode does not serve requests through a proxy.", request)
            if not is_loopback(request.META.get("SERVER_NAME", "")):
                return problem(403, "not_local", "Local mode serves this machine only.", request)
        return self.get_response(request)


class HostMiddleware:
    """Every path answers to its own host names alone, health and preflights too: a rebound name gets nothing."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.get_host()  # raises DisallowedHost: the 400 of digits_site.views.bad_request
        return self.get_response(request)


@cache
def event_stream() -> str:
    return reverse("progress")


class OriginMiddleware:
    """Refuses what another site's page sends, and the event stream that it would hold open."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        matters = request.method not in SAFE_METHODS or request.path_info == event_stream()
        if matters and not self.trusted(request):
            return problem(403, "bad_origin", "Requests from another site's page are refused.", request)
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


class BodyLimitMiddleware:
    """Refuses a body over the limit, whatever its Content-Length says or does not say (chunked)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in SAFE_METHODS:
            return self.get_response(request)
        limit = settings.MAX_BODY_BYTES
        declared = request.META.get("CONTENT_LENGTH") or "0"
        body = b"" if declared.isdigit() and int(declared) > limit else self.source(request).read(limit + 1)
        if len(body) > limit or (declared.isdigit() and int(declared) > limit):
            return problem(413, "payload_too_large", f"The request body is over {limit} bytes.", request)
        request._body = body  # what Django keeps a body in once it has been read
        # A chunked body has no length, and a parser that trusts the header would take it for empty.
        request.META["CONTENT_LENGTH"] = str(len(body))
        return self.get_response(request)

    @staticmethod
    def source(request: HttpRequest) -> Any:
        """Under WSGI Django reads nothing of a chunked body; a server that says so has decoded it and marks its end."""
        chunked = "HTTP_TRANSFER_ENCODING" in request.META and request.META.get("wsgi.input_terminated")
        return request.META["wsgi.input"] if chunked else request


Scope = dict[str, Any]


def headers_of(scope: Scope) -> dict[str, str]:
    """An ASGI request's headers by their lower-case names; one that was sent twice has both values, as in Django."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin1").lower(), value.decode("latin1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    return headers


def served(scope: Scope, headers: dict[str, str]) -> bool:
    """HostMiddleware's and LocalOnlyMiddleware's rules for what is answered before Django."""
    if settings.LOCAL:
        server = scope.get("server") or ("", None)
        if came_through_a_proxy(headers) or not is_loopback(server[0]):
            return False
    return host_allowed(headers.get("host", ""))


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
