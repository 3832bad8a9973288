"""Static files under ASGI: WhiteNoise's responses, sent in the event loop before Django's middleware.

A page loads some thirty files. A thread for each took half of the time until the page could be used.
"""

from __future__ import annotations

from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import Response

from digits_site.web.asgi import Application, Receive, Scope, Send
from digits_site.web.middleware.hosts import is_served, scope_headers
from digits_site.web.middleware.security_headers import NO_PAGE, POLICY, STATIC_HEADERS

CONDITIONS = {
    b"accept-encoding": "HTTP_ACCEPT_ENCODING",
    b"if-none-match": "HTTP_IF_NONE_MATCH",
    b"if-modified-since": "HTTP_IF_MODIFIED_SINCE",
    b"range": "HTTP_RANGE",
}
HEADERS = [(name.lower().encode(), value.encode()) for name, value in {**STATIC_HEADERS, POLICY: NO_PAGE}.items()]


class StaticFiles:
    """Answer requests for static files, and pass others on. With DEBUG all are passed on, because files may change."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.whitenoise = WhiteNoiseMiddleware(lambda _: None)
        self.files = {} if self.whitenoise.autorefresh else self.whitenoise.files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        file = self.files.get(scope["path"])
        if file is None or not is_served(scope, scope_headers(scope)):  # Django words the refusal
            await self.application(scope, receive, send)
            return
        asked = {CONDITIONS[name]: value.decode("latin1") for name, value in scope["headers"] if name in CONDITIONS}
        await send_response(file.get_response(scope["method"], asked), send)


async def send_response(response: Response, send: Send) -> None:
    """Send a WhiteNoise response. The files are small enough to be sent whole."""
    body = b""
    if response.file is not None:
        with response.file as file:
            body = file.read()
    headers = [(name.lower().encode(), str(value).encode()) for name, value in response.headers]
    await send({"type": "http.response.start", "status": int(response.status), "headers": [*headers, *HEADERS]})
    await send({"type": "http.response.body", "body": body})
