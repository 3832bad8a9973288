"""The public deployment end to end: nginx with the certificate, granian and daphne behind it."""

import socket

import pytest

from tests.support.drawings import data_url, draw, encode
from tests.support.public_site import PublicSite
from tests.support.wire import read_all, send_raw

pytestmark = pytest.mark.stack
DRAWING = {"drawing": data_url(encode(draw(7)))}


def test_a_drawing_is_read_over_https_and_the_answers_carry_the_headers(public_site: PublicSite) -> None:
    answer = public_site.http.post("/api/drawing/", json=DRAWING)
    assert (answer.status_code, answer.json()["prediction"]) == (200, 7)
    assert int(answer.headers["strict-transport-security"].split("=")[1].split(";")[0]) >= 31_536_000
    assert answer.headers["server"] == "nginx", "without its version"


def test_plain_http_leads_to_https(public_site: PublicSite) -> None:
    said = send_raw(
        public_site.http_port, b"GET /runs/?page=2 HTTP/1.1\r\nHost: digits.test\r\nConnection: close\r\n\r\n"
    )
    assert said.startswith(b"HTTP/1.1 301 ")
    assert b"\r\nLocation: https://digits.test/runs/?page=2\r\n" in said


@pytest.mark.parametrize("host", ["rebound.example", "127.0.0.1", "localhost.example"])
def test_an_unknown_host_gets_no_answer(public_site: PublicSite, host: str) -> None:
    request = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    assert send_raw(public_site.http_port, request) == b""
    with public_site.trust().wrap_socket(
        socket.create_connection(("127.0.0.1", public_site.https_port)), server_hostname="localhost"
    ) as client:
        client.sendall(request)
        assert read_all(client) == b"", "though the handshake named a known one"


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/healthz"])
def test_a_visitor_sees_neither_metrics_nor_health(public_site: PublicSite, path: str) -> None:
    with public_site.client("127.0.0.9") as visitor:
        assert visitor.get(path).status_code == 403


def test_addresses_that_a_client_makes_up_are_dropped(public_site: PublicSite) -> None:
    """The product would believe the last address in X-Forwarded-For, and the scheme in X-Forwarded-Proto."""
    forged = {"X-Forwarded-For": "192.0.2.1", "Forwarded": "for=192.0.2.1", "X-Forwarded-Host": "rebound.example"}
    answer = public_site.http.get("/api/check_model_status/", headers={**forged, "X-Forwarded-Proto": "http"})
    assert answer.status_code == 200, "https was believed, the made-up http not"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/nope", 413, "payload_too_large"),
        ("/api/retrain_model/", 413, "payload_too_large"),
        ("/api/models/1/onnx/", 413, "payload_too_large"),
        ("/ws/training/", 413, "payload_too_large"),
        ("/api/progress/", 413, "payload_too_large"),
        ("/static/nope", 413, "payload_too_large"),
        ("/api/drawing/", 400, "invalid_json"),
    ],
)
def test_only_drawings_may_be_large(public_site: PublicSite, path: str, status: int, code: str) -> None:
    """What nginx takes it keeps on its disk, which has room for few large bodies of many clients."""
    with public_site.client("127.0.0.8") as visitor:
        answer = visitor.post(path, content=b"x" * 100_000, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert status != 413 or "65536" in answer.json()["message"]
        assert visitor.post("/static/nope", content=b"x").status_code == 405
