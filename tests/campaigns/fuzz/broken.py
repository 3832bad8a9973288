"""HTTP that is none: lengths that lie, chunks that are none, headers that two servers would read differently."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator

from tests.support.wire import Answer

BODY = b'{"drawing": "data:,"}'
READ_SECONDS = 0.5  # a server may wait for the rest of what never comes
LINES = (
    *(
        b"POST /api/drawing/ HTTP/1.1",
        b"GET /api/runs/ HTTP/1.1",
        b"GET /api/runs/ HTTP/1.0",
        b"GET /ws/training/ HTTP/1.1",
    ),
    *(
        b"POST /api/drawing/ HTTP/9.9",
        b"GET /api/runs/",
        b"GET  /api/runs/ HTTP/1.1",
        b"G\xffT / HTTP/1.1",
        b" / HTTP/1.1",
    ),
    *(
        b"GET http://evil.example/api/runs/ HTTP/1.1",
        b"GET //evil.example/%2e%2e/ HTTP/1.1",
        b"GET /\xff\xfe HTTP/1.1",
        b"PRI * HTTP/2.0",
    ),
    *(
        b"OPTIONS * HTTP/1.1",
        b"CONNECT 127.0.0.1:80 HTTP/1.1",
        b"TRACE /api/runs/ HTTP/1.1",
        b"HEAD /api/progress/ HTTP/1.1",
    ),
    *(
        b"GET /api/runs/?" + b"a" * 20_000 + b" HTTP/1.1",
        b"GET /static/../settings.py HTTP/1.1",
        b"GET /%00 HTTP/1.1",
        b"\x16\x03\x01\x02\0",
    ),
    *(b"GET /static/recognition/css/%ff HTTP/1.1", b"GET /runs/%C3%A9/ HTTP/1.1", b"POST /admin/login/ HTTP/1.1", b""),
)
HEADERS = (
    *(
        b"Content-Length: 5",
        b"Content-Length: 0",
        b"Content-Length: -1",
        b"Content-Length: +5",
        b"Content-Length: 5, 5",
        b"Content-Length: x",
    ),
    *(
        b"Content-Length: 99999999999999999999",
        b"Content-Length: 1048577",
        b"Content-Length : 5",
        b"content-length:\t5",
        b"Content-Length: 0x5",
    ),
    *(
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: identity",
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: chunked, chunked",
    ),
    *(
        b"Transfer-Encoding: \x0bchunked",
        b"Transfer_Encoding: chunked",
        b"Content_Length: 99",
        b"Transfer-Encoding:\r\n chunked",
        b" folded: x",
    ),
    *(
        b"Expect: 100-continue",
        b"Expect: nonsense",
        b"Connection: upgrade",
        b"Connection: close, keep-alive",
        b"Upgrade: websocket",
        b"Upgrade: h2c",
    ),
    *(
        b"Upgrade: \xff",
        b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
        b"X: " + b"a" * 17_000,
        b"no colon",
        b": no name",
        b"X\0Y: z",
        b"X: \0",
        b"X: \xff\xfe",
    ),
    *(
        b"Content-Type: multipart/form-data; boundary=b",
        b"Content-Type: application/json",
        b"Content-Type: image/png",
        b"Content-Encoding: gzip",
    ),
    *(
        b"Daphne-Root-Path: /api",
        b"Daphne-Root-Path: \xff",
        b"Cookie: sessionid=\xff",
        b"Cookie: " + b"a=1; " * 2000,
        b"Authorization: Token \xff",
    ),
    *(
        b"Range: bytes=0-18446744073709551615",
        b"Range: bytes=-1,-2,-3",
        b"If-None-Match: \xff",
        b"If-Modified-Since: \xff",
        b"Accept: \xff",
    ),
    *(
        b"Sec-WebSocket-Key: x",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Version: x",
        b"Sec-WebSocket-Extensions: permessage-deflate; \xff",
    ),
)
ENDS = (
    *(
        BODY,
        b"",
        b"5\r\n" + BODY[:5] + b"\r\n0\r\n\r\n",
        b"5;ext=1\r\n" + BODY[:5] + b"\r\n0\r\nTrailer: x\r\n\r\n",
        b"ffffffffffffffff\r\nx",
    ),
    *(
        b"-5\r\nxxxxx\r\n0\r\n\r\n",
        b"0x5\r\nxxxxx\r\n0\r\n\r\n",
        b"5\nxxxxx\n0\n\n",
        b"\r\n\r\n\r\n",
        b"0" * 5000 + b"\r\n\r\n",
    ),
    *(
        b"0\r\n\r\nGET /smuggled/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        BODY + b"GET /api/runs/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
)


def requests(seed: int) -> Iterator[bytes]:
    rng = random.Random(seed)
    while True:
        headers = [b"Host: 127.0.0.1"] if rng.random() < 0.9 else []
        headers += [rng.choice(HEADERS) for _ in range(rng.choice((0, 1, 1, 2, 3)))]
        if rng.random() < 0.02:
            headers += [b"H%d: x" % number for number in range(600)]
        line_end = b"\n" if rng.random() < 0.05 else b"\r\n"
        sent = line_end.join([rng.choice(LINES), *headers, b"", b""]) + rng.choice(ENDS)
        yield sent[: rng.randrange(len(sent))] if rng.random() < 0.1 else sent


def exchange(port: int, sent: bytes) -> Answer:
    """The first status that comes back, 0 when none does; then the connection is gone, whatever else was to be said."""
    began = time.perf_counter()
    received = b""
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        try:
            connection.sendall(sent)
            connection.settimeout(READ_SECONDS)
            while len(received) < 4000 and (part := connection.recv(4000)):
                received += part
                if b"\r\n\r\n" in received:
                    break
        except OSError:
            pass
    status = received[9:12] if received.startswith(b"HTTP/1.") else b""
    return Answer(int(status) if status.isdigit() else 0, "", received, time.perf_counter() - began)
