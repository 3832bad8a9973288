"""Plain HTTP under ASGI: one thread answers a request, from the first middleware to the last.

Django's ASGI handler crosses between the event loop and a thread at every middleware that is written for one of them.
Here that was some thirty times a request, and most of its cost. Streams stay in the loop, with Django's handler.
"""

import asyncio
import contextvars
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from digits_site.web.asgi import Application, Receive, Scope, Send

# More than DATABASE_POOL's connections: when the database hangs, requests that need it are refused after two seconds,
# and others are answered.
THREADS = 8


class StreamRouter:
    """Route the paths of `streams` to their applications, and all other requests to a pool of threads."""

    def __init__(self, streams: Mapping[str, Application]) -> None:
        self.streams, self.plain = streams, ThreadedHandler()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.streams.get(scope["path"], self.plain)(scope, receive, send)


class ThreadedHandler(ASGIHandler):
    """Django's handler with the synchronous middleware chain, run in a small pool of threads."""

    def __init__(self) -> None:
        BaseHandler.__init__(self)  # skips ASGIHandler's, which loads the middleware as async
        self.load_middleware(is_async=False)
        self.pool = ThreadPoolExecutor(THREADS, thread_name_prefix="request")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        call = contextvars.copy_context().run
        response = await asyncio.get_running_loop().run_in_executor(self.pool, call, self.respond, scope, body)
        await self.send_response(response, send)

    def respond(self, scope: Scope, body: IO[bytes]) -> HttpResponseBase:
        """Return the rendered response, already closed."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        with body:
            request, refusal = self.create_request(scope, body)
            response: Any = refusal if request is None else self.get_response(request)
            try:
                return buffer_streaming_response(response) if response.streaming else response
            finally:
                response.close()  # sends request_finished in the thread that holds the database connection


def buffer_streaming_response(response: Any) -> HttpResponse:
    """Return a streaming response as a plain one. Model files and exports are a few megabytes at most."""
    whole = HttpResponse(b"".join(response), status=response.status_code, headers=dict(response.items()))
    whole.cookies = response.cookies
    return whole
