"""digits_site.asgi under a server that is not daphne: granian, which the product has for WSGI."""

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from websockets.sync.client import connect

from tests.support.ports import wait_for_port
from tests.support.stack import ROOT, Stack


class OnGranian(Stack):
    def start_web(self) -> None:
        options = ("--interface", "asginl", "--host", "127.0.0.1", "--port", str(self.port))
        self.launch("web", "granian", *options, "digits_site.asgi:application")
        wait_for_port(self.port)


@pytest.mark.stack
def test_another_server_answers_requests_and_streams(tmp_path: Path) -> None:
    with closing(OnGranian(tmp_path)) as granian:
        granian.start(worker=False)
        assert granian.http.get("/readyz").status_code == 200
        assert granian.http.get("/static/none.js").status_code == 404
        assert '"event": "close"' in granian.http.get("/api/progress/").text
        refused = granian.http.post("/api/drawing/", content=b"x" * 2 * 2**20)
        assert (refused.status_code, refused.json()["code"]) == (413, "payload_too_large")
        assert '"event": "close"' in granian.http.get("/api/progress").text
        with connect(granian.ws_url.removesuffix("/")) as socket:
            assert json.loads(socket.recv(10))["type"] == "snapshot"
            socket.send('{"type": "ping"}')
            assert json.loads(socket.recv(10)) == {"type": "pong"}
        assert "Traceback" not in granian.log("web")


def test_no_application_loads_a_server_or_tensorflow_or_the_validator() -> None:
    banned = {"daphne", "autobahn", "twisted", "tensorflow", "keras", "jsonschema"}
    names = ", ".join(f"digits_site.{name}" for name in ("asgi", "wsgi", "celery", "urls"))
    code = f"import sys, {names}; assert not {banned} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
