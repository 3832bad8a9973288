"""Read request bodies: refuse large ones (digits_site.web.limits.body_size), and unpack those in gzip."""

import gc
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from threading import Semaphore
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from digits_site.web.asgi import Application, Message, Receive, Scope, Send
from digits_site.web.error_responses import error_response
from digits_site.web.errors import ApiError, Busy, InvalidBody, PayloadTooLarge, UnsupportedMediaType
from digits_site.web.limits.body_size import max_body_bytes

SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}
GZIP = {"gzip", "x-gzip"}  # RFC 9110, 8.4.1.3
GZIP_WINDOW = 16 + zlib.MAX_WBITS  # zlib's number for gzip's header and trailer
PIECE_BYTES = 2**18
# Bodies over MAX_BODY_BYTES that a process holds at once: one is decoded, one waits (decode_slots).
large_bodies = Semaphore(2)


class BodyLimitMiddleware:
    """Refuse a body over the limit, whatever its Content-Length says or omits (chunked)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in SAFE_METHODS:
            return self.get_response(request)
        with ExitStack() as held:
            try:
                body = read_body(request, held)
            except ApiError as error:
                return error_response(error, request)
            request._body = body  # where Django keeps a body that has been read
            # A chunked body has no length, and a parser that trusts the header would take it for empty.
            request.META["CONTENT_LENGTH"] = str(len(body))
            return self.get_response(request)


def read_body(request: HttpRequest, held: ExitStack) -> bytes:
    """Return the unpacked body; a large one holds a slot until `held` ends.

    Raises PayloadTooLarge, UnsupportedMediaType, InvalidBody and Busy.
    """
    usual, limit = settings.MAX_BODY_BYTES, max_body_bytes(request.path_info, request.META.get("CONTENT_TYPE", ""))
    coding = request.META.pop("HTTP_CONTENT_ENCODING", "").strip().lower()
    declared = request.META.get("CONTENT_LENGTH") or "0"
    length = int(declared) if declared.isdigit() else 0
    if length > limit:
        raise PayloadTooLarge(limit)
    stream, is_gzip = body_stream(request), coding in GZIP
    body = read(stream, usual + 1) if length <= usual else b""
    if limit > usual and (is_gzip or max(length, len(body)) > usual):
        if not large_bodies.acquire(blocking=False):
            raise Busy("The server is busy with other pictures. Try again shortly.")
        held.callback(large_bodies.release)
        gc.collect()  # requests of REST framework are cycles, and each earlier one still holds its body
        body = read(stream, limit + 1, body)
    if len(body) > limit:
        raise PayloadTooLarge(limit)
    if body and coding not in {*GZIP, "", "identity"}:
        raise UnsupportedMediaType(
            "Send the body without a Content-Encoding, or gzip.", headers={"Accept-Encoding": "gzip"}
        )
    return unpack(body, limit) if body and is_gzip else body


def read(stream: Any, size: int, begun: bytes = b"") -> bytes:
    """Read in pieces until there are `size` bytes or the stream ends: at once, granian would hold it twice more."""
    pieces, room = [begun], size - len(begun)
    while room and (piece := stream.read(min(PIECE_BYTES, room))):
        pieces.append(piece)
        room -= len(piece)
    return b"".join(pieces)


def body_stream(request: HttpRequest) -> Any:
    """Return the stream to read: under WSGI, Django's own is empty for a chunked body that the server has decoded."""
    chunked = "HTTP_TRANSFER_ENCODING" in request.META and request.META.get("wsgi.input_terminated")
    return request.META["wsgi.input"] if chunked else request


def unpack(data: bytes, limit: int) -> bytes:
    """Return what was packed by gzip, as one member. Raises PayloadTooLarge and InvalidBody."""
    packing = zlib.decompressobj(GZIP_WINDOW)
    try:
        body = packing.decompress(data, limit + 1)
    except zlib.error as error:
        raise InvalidBody from error
    if len(body) > limit:
        raise PayloadTooLarge(limit)
    if not packing.eof or packing.unused_data:
        raise InvalidBody
    return body


class BodyLimit:
    """ASGI middleware that passes on a byte more than the limit and drops the rest.

    Django's handler would keep a body of any size before BodyLimitMiddleware refuses it.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        content_type = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
        room = max_body_bytes(scope["path"], content_type.decode("latin1")) + 1

        async def receive_within_limit() -> Message:
            nonlocal room
            message = await receive()
            if body := message.get("body"):
                message = {**message, "body": body[:room]}
                room -= len(message["body"])
            return message

        await self.application(scope, receive_within_limit, send)
