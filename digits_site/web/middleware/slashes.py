"""Serve paths of the API and of WebSockets without their last slash as with it, under WSGI and ASGI.

Django redirects, and most clients then send a GET in place of a POST; a WebSocket client follows no redirect.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from digits_site.web.asgi import Application, Receive, Scope, Send


def lacks_slash(path: str) -> bool:
    return path.startswith(("/api/", "/ws/")) and not path.endswith("/")


class SlashMiddleware:
    """Before all middleware that compares paths."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if lacks_slash(request.path_info):
            request.path, request.path_info = f"{request.path}/", f"{request.path_info}/"
        return self.get_response(request)


class SlashRouter:
    """ASGI middleware that does the same for the routers of streams and WebSockets."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if lacks_slash(scope.get("path", "")):
            scope = {**scope, "path": f"{scope['path']}/"}
        await self.application(scope, receive, send)
