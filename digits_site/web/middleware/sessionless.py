"""Serve a POST to the API without the middleware of pages and sessions, which cost it more than its view."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse


class SessionlessMiddleware:
    """Pass a POST to the API that carries no session cookie straight to its view.

    The middleware below this one in MIDDLEWARE serves static files, sessions, accounts, forms and redirects. Hooks such
    as `process_view` still run. Only POST: a cache may keep the response to a GET, which must say `Vary: Cookie`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = self.view = get_response
        while hasattr(self.view, "get_response"):  # django.core.handlers wraps middleware with functools.wraps
            self.view = self.view.get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_sessionless(request):
            return self.view(request)
        return self.get_response(request)


def is_sessionless(request: HttpRequest) -> bool:
    return (
        request.method == "POST"
        and request.path_info.startswith("/api/")
        and settings.SESSION_COOKIE_NAME not in request.META.get("HTTP_COOKIE", "")
    )
