"""Malformed HTTP: wrong lengths, broken chunks, headers that two servers would read differently."""

import random
from collections.abc import Iterator
from contextlib import closing

from tests.support.wire import Answer, Connection

BODY = b'{"drawing": "data:,"}'
READ_SECONDS = 0.5  # a server may wait for the rest of what never comes


def listed(text: str) -> list[bytes]:
    """Split a list whose entries stand between bars; characters are bytes."""
    return text.encode("latin-1").split(b" | ")


LINES = (
    *listed(
        "POST /api/drawing/ HTTP/1.1 | GET /api/runs/ HTTP/1.1 | GET /api/runs/ HTTP/1.0"
        " | GET /ws/training/ HTTP/1.1 | POST /api/drawing/ HTTP/9.9 | GET /api/runs/ | GET  /api/runs/ HTTP/1.1"
        " | G\xffT / HTTP/1.1 |  / HTTP/1.1 | GET http://evil.example/api/runs/ HTTP/1.1"
        " | GET //evil.example/%2e%2e/ HTTP/1.1 | GET /\xff\xfe HTTP/1.1 | PRI * HTTP/2.0 | OPTIONS * HTTP/1.1"
        " | CONNECT 127.0.0.1:80 HTTP/1.1 | TRACE /api/runs/ HTTP/1.1 | HEAD /api/progress/ HTTP/1.1"
        " | GET /static/../settings.py HTTP/1.1 | GET /%00 HTTP/1.1 | \x16\x03\x01\x02\x00"
        " | GET /static/recognition/css/%ff HTTP/1.1 | GET /runs/%C3%A9/ HTTP/1.1 | POST /admin/login/ HTTP/1.1 | "
    ),
    b"GET /api/runs/?" + b"a" * 20_000 + b" HTTP/1.1",
)
HEADERS = (
    *listed(
        "Content-Length: 5 | Content-Length: 0 | Content-Length: -1 | Content-Length: +5 | Content-Length: 5, 5"
        " | Content-Length: x | Content-Length: 99999999999999999999 | Content-Length: 1048577 | Content-Length : 5"
        " | content-length:\t5 | Content-Length: 0x5 | Transfer-Encoding: chunked | Transfer-Encoding: identity"
        " | Transfer-Encoding: gzip, chunked | Transfer-Encoding: chunked, chunked | Transfer-Encoding: \x0bchunked"
        " | Transfer_Encoding: chunked | Content_Length: 99 | Transfer-Encoding:\r\n chunked |  folded: x"
        " | Expect: 100-continue | Expect: nonsense | Connection: upgrade | Connection: close, keep-alive"
        " | Upgrade: websocket | Upgrade: h2c | Upgrade: \xff | HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA | no colon"
        " | : no name | X\x00Y: z | X: \x00 | X: \xff\xfe | Content-Type: multipart/form-data; boundary=b"
        " | Content-Type: application/json | Content-Type: image/png | Content-Encoding: gzip"
        " | Daphne-Root-Path: /api | Daphne-Root-Path: \xff | Cookie: sessionid=\xff | Authorization: Token \xff"
        " | Range: bytes=0-18446744073709551615 | Range: bytes=-1,-2,-3 | If-None-Match: \xff"
        " | If-Modified-Since: \xff | Accept: \xff | Sec-WebSocket-Key: x | Sec-WebSocket-Version: 13"
        " | Sec-WebSocket-Version: x | Sec-WebSocket-Extensions: permessage-deflate; \xff"
    ),
    b"X: " + b"a" * 17_000,
    b"Cookie: " + b"a=1; " * 2000,
)
ENDS = (
    *(BODY, b"", b"ffffffffffffffff\r\nx", b"\r\n\r\n\r\n", b"0" * 5000 + b"\r\n\r\n"),
    b"5\r\n" + BODY[:5] + b"\r\n0\r\n\r\n",
    b"5;ext=1\r\n" + BODY[:5] + b"\r\n0\r\nTrailer: x\r\n\r\n",
    *(b"-5\r\nxxxxx\r\n0\r\n\r\n", b"0x5\r\nxxxxx\r\n0\r\n\r\n", b"5\nxxxxx\n0\n\n"),
    b"0\r\n\r\nGET /smuggled/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    BODY + b"GET /api/runs/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
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
    """The first answer that comes back, its status 0 when none does; then the connection is gone."""
    with closing(Connection(port, READ_SECONDS)) as connection:
        return connection.exchange(sent, sent.partition(b" ")[0].decode("latin-1"))
