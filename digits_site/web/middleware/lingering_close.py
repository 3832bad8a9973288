"""WSGI middleware that reads and discards what an application leaves of a request body.

granian closes a connection when the application returns before the whole body has arrived. A client that is still
sending then gets a reset in place of the response; behind nginx that is a 502.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from digits_site.web.limits.body_size import max_body_bytes

LINGER_SECONDS = 2.0  # reading time before the response, and again after it
LINGER_BYTES = 16 * 2**20  # far over the limits: the sender of a large photo still gets its 413
PIECE_BYTES = 64 * 2**10
Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class LingeringClose:
    """Wrap the whole application: a response that bypasses Django's middleware leaves its body unread as well."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not has_body(environ):
            return self.application(environ, start_response)
        body = environ["wsgi.input"] = RequestBody(environ)
        try:
            response = self.application(environ, start_response)
        finally:
            # A client may send such a body only after it has read the 413.
            limit = max_body_bytes(environ.get("PATH_INFO", ""), environ.get("CONTENT_TYPE", ""))
            too_large = body.length is not None and body.length > limit
            lingers = too_large or body.discard_rest()
        return LingeringResponse(response, body) if lingers and not body.is_read else response


def has_body(environ: Environ) -> bool:
    """Return whether a body follows. False where the server does not mark its end: a read could block for ever."""
    declared = environ.get("CONTENT_LENGTH", "0") != "0" or "HTTP_TRANSFER_ENCODING" in environ
    return declared and bool(environ.get("wsgi.input_terminated"))


class DiscardSlot:
    """Let one thread of the process discard at a time.

    A read has no timeout and cannot be cancelled: a client that sends nothing holds a thread until it hangs up. If one
    read holds the slot for longer than LINGER_SECONDS, other threads skip discarding and stay free. Behind nginx this
    does not happen, because nginx passes a request on when its whole body is there.
    """

    def __init__(self) -> None:
        self.lock, self.taken = threading.Lock(), 0.0

    def acquire(self) -> bool:
        acquired = self.lock.acquire(timeout=max(0.0, self.taken + LINGER_SECONDS - time.monotonic()))
        if acquired:
            self.taken = time.monotonic()
        return acquired


slot = DiscardSlot()


class RequestBody:
    """`wsgi.input` that knows whether it has been read to its end."""

    def __init__(self, environ: Environ) -> None:
        self.stream, self.received, self.is_read = environ["wsgi.input"], 0, False
        length = environ.get("CONTENT_LENGTH", "")
        is_chunked = "HTTP_TRANSFER_ENCODING" in environ
        self.length = int(length) if length.isdecimal() and not is_chunked else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)  # Django's LimitedStream looks `readline` up; only `read` is called

    def read(self, size: int | None = None) -> bytes:
        if size is not None and size < 0:
            size = None
        data: bytes = self.stream.read(size)
        self.received += len(data)
        self.is_read = size is None or len(data) < size or self.received == self.length
        return data

    def discard_rest(self) -> bool:
        """Read on until the end of the body, for up to LINGER_BYTES and LINGER_SECONDS; False if the slot is held."""
        if self.is_read:
            return True
        if not slot.acquire():
            return False
        try:
            until, most = time.monotonic() + LINGER_SECONDS, self.received + LINGER_BYTES
            while not self.is_read and self.received < most and time.monotonic() < until:
                self.read(PIECE_BYTES)
        finally:
            slot.lock.release()
        return True


class LingeringResponse:
    """A response to a body that has not ended yet: discard more of it while the client reads the response."""

    def __init__(self, response: Iterable[bytes], body: RequestBody) -> None:
        self.response, self.body = response, body

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.response)

    def close(self) -> None:
        try:
            if hasattr(self.response, "close"):
                self.response.close()
        finally:
            self.body.discard_rest()
