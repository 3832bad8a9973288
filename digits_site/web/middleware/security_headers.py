"""Set the security headers of every response: of Django, of static files served before it, and of refusals.

Not a package, because django-csp takes twice as long for one of the seven (docs/decisions.md).
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from digits_site.web.middleware.hosts import is_host_allowed

POLICY = "Content-Security-Policy"
RESOURCE_POLICY = "Cross-Origin-Resource-Policy"
# For responses that are not pages: a browser that opens one loads and runs nothing.
NON_PAGE_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
UNUSED_FEATURES = ("display-capture", "geolocation", "hid", "microphone", "midi", "payment", "serial", "usb")
STATIC_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": ", ".join(["camera=(self)", *(f"{feature}=()" for feature in UNUSED_FEATURES)]),
    "Cross-Origin-Opener-Policy": "same-origin",
    RESOURCE_POLICY: "same-origin",
}


class SecurityHeadersMiddleware:
    """Outside of all middleware that may refuse. A view's own headers stay."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if "Access-Control-Allow-Origin" in response.headers:  # readable cross-origin, so also embeddable
            response.headers.setdefault(RESOURCE_POLICY, "cross-origin")
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        policy = page_policy(request.META.get("HTTP_HOST", "")) if is_page else NON_PAGE_POLICY
        response.headers.setdefault(POLICY, policy)
        for name, value in STATIC_HEADERS.items():
            response.headers.setdefault(name, value)
        if not response.streaming:  # CommonMiddleware sets it too, but refusals never reach it
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response


def page_policy(host: str) -> str:
    """Return the policy of a page: its own files and server only, nothing inline, no framing."""
    sockets = f"ws://{host} wss://{host}" if is_host_allowed(host) else ""  # not every browser's 'self' covers them
    return (
        "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        f"frame-ancestors 'none'; connect-src 'self' {sockets}"
    ).strip()
