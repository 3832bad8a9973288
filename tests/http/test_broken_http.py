"""What is sent past the application, to the server under it."""

import json

import pytest
from websockets.sync.client import connect

from tests.support.stack import Stack
from tests.support.wire import Connection, Request

pytestmark = pytest.mark.stack
CHUNKED = b"POST /api/drawing/ HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n"


@pytest.mark.parametrize("value", ["\xff", "/", "/healthz", "/x", "%ff", "http://evil.example"])
def test_a_client_does_not_say_where_the_application_stands(stack: Stack, value: str) -> None:
    for path, status in (("/healthz", 200), ("/x/healthz", 404)):
        request = Request("GET", path, (("Daphne-Root-Path", value),))
        assert Connection(stack.port).exchange(request.encoded(stack.port), "GET").status == status
    with connect(stack.ws_url, additional_headers={"Daphne-Root-Path": value}) as socket:
        assert json.loads(socket.recv(30))["type"] == "snapshot"
    assert "Traceback" not in stack.log("web")


@pytest.mark.parametrize(
    "sent",
    [
        b"G\xffT /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /api/runs/?\xe9 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /api/runs/ HTTP/1.1\r\nHost: 127.0.0.1\r\nX(: 1\r\n\r\n",
        CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n",
        CHUNKED + b"\r\nzz\r\n\r\n",
        b"GET /ws/training/ HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n\r\n",
    ],
)
def test_invalid_http_is_refused_without_a_page(stack: Stack, sent: bytes) -> None:
    answer = Connection(stack.port).exchange(sent, "GET")
    assert answer.status == 400
    assert b"<" not in answer.body
    assert stack.http.get("/healthz").status_code == 200
    assert "Traceback" not in stack.log("web")


def test_what_the_server_refuses_by_itself_is_json(stack: Stack) -> None:
    request = Request("GET", "/api/runs/", (("Accept", "a\x85b"),))
    answer = Connection(stack.port).exchange(request.encoded(stack.port), "GET")
    assert (answer.status, answer.kind, json.loads(answer.body)["code"]) == (400, "application/json", "bad_request")
