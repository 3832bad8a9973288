"""Static files under ASGI: WhiteNoise's responses, sent in the event loop before Django's middleware.

A page loads some thirty files. Serving each in a thread took half of the time until the page could be used.
"""

from __future__ import annotations

from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import Response

from digits_site.web.asgi import Application, Receive, Scope, Send
from digits_site.web.middleware.hosts import is_served, scope_headers
from digits_site.web.middleware.security_headers import NON_PAGE_POLICY, POLICY, STATIC_HEADERS

HEADERS = [
    (name.lower().encode(), value.encode()) for name, value in {**STATIC_HEADERS, POLICY: NON_PAGE_POLICY}.items()
]


class StaticFiles:
    """Answer requests for static files, and pass others on. With DEBUG all are passed on, because files may change."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.whitenoise = WhiteNoiseMiddleware(lambda _: None)
        self.files = {} if self.whitenoise.autorefresh else self.whitenoise.files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        file = self.files.get(scope["path"])
        headers = scope_headers(scope) if file is not None else {}
        if file is None or not is_served(scope, headers):  # HostMiddleware refuses it
            await self.application(scope, receive, send)
            return
        environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        await send_response(file.get_response(scope["method"], environ), send)


async def send_response(response: Response, send: Send) -> None:
    """Send a WhiteNoise response. The files are small enough to be sent whole."""
    body = b""
    if response.file is not None:
        with response.file as file:
            body = file.read()
    headers = [(name.lower().encode(), str(value).encode()) for name, value in response.headers]
    await send({"type": "http.response.start", "status": int(response.status), "headers": [*headers, *HEADERS]})
    await send({"type": "http.response.body", "body": body})
