"""The public deployment with its default limits: nginx with the certificate, granian and daphne behind it."""

import socket
import time
from contextlib import ExitStack

import pytest
from websockets.sync.client import connect

from digits_site.web.middleware.security_headers import NON_PAGE_POLICY
from tests.support.drawings import data_url, draw, encode
from tests.support.limited import is_served
from tests.support.public_site import PublicSite
from tests.support.security_headers import HTML, assert_standing, assert_strict, policy_of, style_sheet
from tests.support.wire import read_all, send_raw

pytestmark = pytest.mark.stack
PER_MINUTE, PER_ADDRESS = 120, 50  # what README says of public mode
DRAWING = {"drawing": data_url(encode(draw(7)))}


def test_a_drawing_is_read_over_https(public_site: PublicSite) -> None:
    answer = public_site.http.post("/api/drawing/", json=DRAWING)
    assert (answer.status_code, answer.json()["prediction"]) == (200, 7)
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


SMALL = ["/nope", "/api/retrain_model/", "/api/models/1/onnx/", "/ws/training/", "/api/progress/", "/static/nope"]


def test_only_drawings_may_be_large_and_pictures_larger(public_site: PublicSite) -> None:
    """What nginx takes it keeps on its disk, which has room for few large bodies of many clients."""
    large = {"content": b"x" * 100_000, "headers": {"Content-Type": "application/json"}}
    with public_site.client("127.0.0.8") as visitor:
        for path in SMALL:
            answer = visitor.post(path, **large)
            assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large"), path
            assert "65536" in answer.json()["message"]
        others = ("/api/number/", "/api/corrections/?label=7")
        for path in ("/api/drawing/", "/api/drawing", "/api/drawing/?preview=1", *others):
            assert visitor.post(path, **large).json()["code"] == "invalid_json"
            for kind, limit in (("application/json", 2**20), ("image/png", 8 * 2**20), ("Multipart/form-data", 2**23)):
                refused = visitor.post(path, content=bytes(limit + 1), headers={"Content-Type": kind})
                assert (refused.status_code, refused.json()["code"]) == (413, "payload_too_large"), kind
                assert str(limit) in refused.json()["message"]
        picture = {"content": bytes(8 * 2**20), "headers": {"Content-Type": "image/png"}}
        assert visitor.post("/api/drawing", **picture).json()["code"] == "unsupported_image"
        assert visitor.post("/static/nope", content=b"x").status_code == 405


def test_every_answer_has_its_headers_once_and_hsts(public_site: PublicSite) -> None:
    style = style_sheet(public_site)
    for path in ("/", style, "/api/runs/", "/api/progress/", "/nowhere", "/static/nothing.css", "/admin/login/"):
        headers = public_site.http.get(path, headers=HTML if path == "/" else {}).headers.multi_items()
        assert_standing(headers)
        assert [value for name, value in headers if name == "strict-transport-security"] == ["max-age=31536000"], path
        if path == "/":
            assert_strict(policy_of(headers))
        elif path in {style, "/api/runs/", "/api/progress/"}:
            assert policy_of(headers) == NON_PAGE_POLICY
    refusal = public_site.http.post("/api/drawing/", content=b"x" * 1_100_000)
    assert refusal.status_code == 413
    assert_standing(refusal.headers.multi_items())


def test_the_sign_in_sets_cookies_of_this_host_alone(public_site: PublicSite) -> None:
    with public_site.client("127.0.0.30") as visitor:
        cookie = visitor.get("/admin/login/").headers["set-cookie"]
    assert cookie.startswith("__Host-csrftoken=")
    for part in ("Secure", "Path=/", "SameSite=Lax"):
        assert part in cookie
    assert "Domain" not in cookie


def test_an_address_has_its_drawings_whatever_it_says_of_itself(public_site: PublicSite) -> None:
    with public_site.client("127.0.0.31") as visitor, public_site.client("127.0.0.32") as other:
        answers = []
        for number in range(PER_MINUTE + 3):
            headers = {"X-Forwarded-For": f"198.51.100.{number}"}
            answers.append(visitor.post("/api/drawing/", json={}, headers=headers))
            time.sleep(0.01)  # nginx has a limit of its own for who asks faster
        statuses = [answer.status_code for answer in answers]
        assert statuses == [400] * PER_MINUTE + [429] * 3
        assert answers[-1].json()["code"] == "rate_limited"
        assert 0 < int(answers[-1].headers["retry-after"]) <= 61
        assert other.post("/api/drawing/", json={}).status_code == 400


def test_an_address_has_its_streams(public_site: PublicSite) -> None:
    url = f"{public_site.url.replace('https', 'wss')}/ws/training/"

    def opened(host: int) -> bool:
        source = (f"127.0.0.{host}", 0)
        return is_served(sockets.enter_context(connect(url, ssl=public_site.trust(), source_address=source)))

    with ExitStack() as sockets:
        assert [opened(33) for _ in range(PER_ADDRESS + 1)] == [True] * PER_ADDRESS + [False]
        assert opened(34)
        with public_site.client("127.0.0.33") as visitor:
            stream = visitor.get("/api/progress/")
            assert (stream.status_code, stream.json()["code"]) == (429, "too_many_streams")
            assert visitor.get("/api/runs/").status_code == 200, "the limit is for streams alone"


def test_guesses_at_a_password_end(public_site: PublicSite) -> None:
    with public_site.client("127.0.0.35") as visitor:
        own = {"Referer": f"{public_site.url}/admin/login/", "Origin": public_site.url}
        token = visitor.get("/admin/login/").text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
        guess = {"username": "admin", "password": "wrong", "csrfmiddlewaretoken": token}
        statuses = [visitor.post("/admin/login/", data=guess, headers=own).status_code for _ in range(11)]
    assert statuses == [200] * 10 + [429]
