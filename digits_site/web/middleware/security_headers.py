"""What every answer tells a browser about itself, whoever answers: Django, static files before it, refusals."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from digits_site.web.origins import host_allowed

POLICY = "Content-Security-Policy"
RESOURCE_POLICY = "Cross-Origin-Resource-Policy"
# For what is no page: opened as one, it may load and do nothing.
NO_PAGE = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
UNUSED = ("camera", "display-capture", "geolocation", "hid", "microphone", "midi", "payment", "serial", "usb")
STANDING = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED),
    "Cross-Origin-Opener-Policy": "same-origin",
    RESOURCE_POLICY: "same-origin",
}


class HeadersMiddleware:
    """Outside of all that may refuse. A view that needs another policy sets its own; nothing is set twice."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if "Access-Control-Allow-Origin" in response.headers:  # what may be read from there may be loaded from there
            response.headers.setdefault(RESOURCE_POLICY, "cross-origin")
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        response.headers.setdefault(POLICY, page_policy(request.META.get("HTTP_HOST", "")) if is_page else NO_PAGE)
        for name, value in STANDING.items():
            response.headers.setdefault(name, value)
        if not response.streaming:  # a refusal that never met CommonMiddleware: the client knows its end at once
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response


def page_policy(host: str) -> str:
    """What a page of ours may load and do: its own files, its own server, nothing inline, nobody's frame."""
    sockets = f"ws://{host} wss://{host}" if host_allowed(host) else ""  # 'self' does not cover them everywhere
    return (
        "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        f"frame-ancestors 'none'; connect-src 'self' {sockets}"
    ).strip()
