"""What daphne's HTTP server would do with a client's request before the application is asked, and must not.

It believes the header Daphne-Root-Path of whoever sends it: a prefix of the path with that prefix in the header would
be the path behind it, past every rule that a proxy has for paths, and a value that is not ASCII is a 500. Twisted
under it reads forms by itself, for nobody: a malformed one gets an empty 400 that is not the API's. And what daphne
itself refuses, a header that is none, it refuses in HTML.
"""

from __future__ import annotations

import sys
from typing import Any

from digits_site.web.error_responses import error_response
from digits_site.web.errors import BadRequest, ServerError


def leave_requests_to_us() -> None:
    """Take the header out of every request, handshakes included, keep Twisted from reading forms, and refuse in JSON;
    where daphne is the server that imports us."""
    if "daphne.server" not in sys.modules:
        return
    from daphne.http_protocol import WebRequest

    received, process = WebRequest.requestReceived, WebRequest.process

    def without_reading(request: Any, command: bytes, path: bytes, version: bytes) -> Any:
        request.kinds = request.requestHeaders.getRawHeaders(b"content-type")
        request.requestHeaders.removeHeader(b"content-type")
        return received(request, command, path, version)

    def as_it_was_sent(request: Any) -> Any:
        request.requestHeaders.removeHeader(b"daphne-root-path")
        if request.kinds:
            request.requestHeaders.setRawHeaders(b"content-type", request.kinds)
        return process(request)

    WebRequest.requestReceived, WebRequest.process = without_reading, as_it_was_sent
    WebRequest.basic_error = in_json


def in_json(request: Any, status: int, status_text: bytes, body: str) -> None:
    """In place of daphne's `basic_error`."""
    error = BadRequest if status < 500 else ServerError
    answer = error_response(error(f"{body.rstrip('.')}."))
    headers = [(b"Content-Type", b"application/json"), (b"Content-Length", str(len(answer.content)).encode())]
    request.handle_reply({"type": "http.response.start", "status": status, "headers": headers})
    request.handle_reply({"type": "http.response.body", "body": answer.content})
