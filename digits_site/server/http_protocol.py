"""daphne's HTTP protocol, hardened.

A client cannot choose the application's root path, no body is kept beyond its limit, Twisted does not parse forms, and
refusals are the API's JSON.
"""

from typing import Any
from urllib.parse import unquote

from daphne import http_protocol

from digits_site.server.backpressure import WriteGate
from digits_site.web.asgi import Message
from digits_site.web.error_responses import error_response
from digits_site.web.errors import BadRequest, ServerError
from digits_site.web.limits.body_size import max_body_bytes


class WebRequest(http_protocol.WebRequest):
    """One HTTP request, or the handshake of a WebSocket."""

    gate: WriteGate | None = None  # only an event stream has one

    def gotLength(self, length: int | None) -> None:  # noqa: N802 (Twisted's name)
        """Set the limit, when the headers have been read and the body has not."""
        super().gotLength(length)
        path = unquote(self.channel._path.decode("latin1").partition("?")[0])
        content_types = self.requestHeaders.getRawHeaders(b"content-type") or [b""]
        self.room = max_body_bytes(path, content_types[0].decode("latin1")) + 1

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 (Twisted's name)
        """Keep a byte more than the limit, for BodyLimitMiddleware to refuse the body, and drop the rest."""
        super().handleContentChunk(data[: self.room])
        self.room -= min(len(data), self.room)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802 (Twisted's name)
        """Hide the Content-Type from Twisted, which parses forms and answers a malformed one with an empty 400."""
        self.content_types = self.requestHeaders.getRawHeaders(b"content-type")
        self.requestHeaders.removeHeader(b"content-type")
        super().requestReceived(command, path, version)

    def process(self) -> Any:
        """Drop Daphne-Root-Path: any client may send it, and it would change the path behind a proxy's rules."""
        self.requestHeaders.removeHeader(b"daphne-root-path")
        if self.content_types:
            self.requestHeaders.setRawHeaders(b"content-type", self.content_types)
        return super().process()

    def handle_reply(self, message: Message) -> None:
        super().handle_reply(message)
        headers = message.get("headers", ())
        is_event_stream = any(name.lower() == b"content-type" and b"event-stream" in value for name, value in headers)
        if is_event_stream and self.channel is not None:
            self.gate = WriteGate(self.transport)
            self.registerProducer(self.gate, True)

    def finish(self) -> None:
        if self.gate is not None and self.channel is not None:
            self.unregisterProducer()
        super().finish()

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """Answer what daphne refuses (broken headers, an application that failed or timed out) in JSON."""
        error = BadRequest if status < 500 else ServerError
        response = error_response(error(f"{body.rstrip('.')}."))
        headers = [(b"Content-Type", b"application/json"), (b"Content-Length", str(len(response.content)).encode())]
        self.handle_reply({"type": "http.response.start", "status": status, "headers": headers})
        self.handle_reply({"type": "http.response.body", "body": response.content})


class HTTPFactory(http_protocol.HTTPFactory):
    """daphne's factory, which names its own request class."""

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 (Twisted's name)
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = WebRequest
        return protocol
