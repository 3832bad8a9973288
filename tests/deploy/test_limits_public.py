"""The limits where they matter: public mode with its defaults, behind nginx with a certificate."""

import json
import time
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from digits_site.web.middleware.security_headers import NO_PAGE
from tests.support.public_site import PublicSite
from tests.support.security_headers import HTML, assert_standing, assert_strict, policy_of, style_sheet
from training.live import consumers

pytestmark = pytest.mark.stack
PER_MINUTE, PER_ADDRESS = 120, 50  # what README says of public mode


def test_every_answer_has_its_headers_once_and_hsts(public_site: PublicSite) -> None:
    style = style_sheet(public_site)
    for path in ("/", style, "/api/runs/", "/api/progress/", "/nowhere", "/static/nothing.css", "/admin/login/"):
        headers = public_site.http.get(path, headers=HTML if path == "/" else {}).headers.multi_items()
        assert_standing(headers)
        assert [value for name, value in headers if name == "strict-transport-security"] == ["max-age=31536000"], path
        if path == "/":
            assert_strict(policy_of(headers))
        elif path in {style, "/api/runs/", "/api/progress/"}:
            assert policy_of(headers) == NO_PAGE
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
        client = sockets.enter_context(connect(url, ssl=public_site.trust(), source_address=source))
        try:
            return bool(json.loads(client.recv(10))["type"] == "snapshot")
        except ConnectionClosed:
            if client.close_code != consumers.TOO_MANY_STREAMS:
                raise
            return False

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
