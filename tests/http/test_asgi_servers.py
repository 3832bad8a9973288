"""digits_site.asgi under a server that is not daphne: granian, which the product has for WSGI."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from websockets.sync.client import connect

from tests.support.ports import wait_for_port
from tests.support.stack import ROOT, Stack


class OnGranian(Stack):
    def start_web(self) -> None:
        options = ("--interface", "asginl", "--host", "127.0.0.1", "--port", str(self.port))
        self.launch("web", "granian", *options, "digits_site.asgi:application")
        wait_for_port(self.port)


@pytest.fixture(scope="module")
def granian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = OnGranian(tmp_path_factory.mktemp("asgi"))
    try:
        stack.start_redis()
        stack.prepare()
        stack.start_web()
        yield stack
    finally:
        stack.close()


@pytest.mark.stack
def test_another_server_answers_requests_and_streams(granian: Stack) -> None:
    assert granian.http.get("/readyz").status_code == 200
    assert granian.http.get("/static/none.js").status_code == 404
    assert '"event": "close"' in granian.http.get("/api/progress/").text
    refused = granian.http.post("/api/drawing/", content=b"x" * 2 * 2**20)
    assert (refused.status_code, refused.json()["code"]) == (413, "payload_too_large")
    with connect(granian.ws_url) as socket:
        assert json.loads(socket.recv(10))["type"] == "snapshot"
        socket.send('{"type": "ping"}')
        assert json.loads(socket.recv(10)) == {"type": "pong"}
    assert "Traceback" not in granian.log("web")


def test_the_application_knows_no_server() -> None:
    code = "import sys, digits_site.asgi; assert not {'daphne', 'autobahn', 'twisted'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
