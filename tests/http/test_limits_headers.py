"""What answers tell browsers about themselves: once each, whoever answers, and nothing inline on any page."""

from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from django.test import Client

from digits_site.web.middleware.security_headers import NO_PAGE
from recognition.models import ModelVersion
from tests.support.scaled import Scaled
from tests.support.security_headers import HTML, assert_standing, assert_strict, policy_of, style_sheet
from tests.support.stack import Stack
from tests.support.wire import send_raw
from training.models import TrainingRun

PAGES = ["/", "/runs/", "/runs/1/", "/runs/compare/", "/admin/login/", "/nowhere", "/runs/999/"]
OTHERS = [
    "/",
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/runs/",
    "/api/nowhere/",
    "/api/progress/",
    "/api/models/1/onnx/",
]
STATIC = ["/static/recognition/favicon.svg", "/static/admin/css/base.css", "/static/training/js/admin/dashboard.js"]
ADMIN = [
    *("", "training/trainingrun/", "training/trainingrun/1/change/", "training/trainingrun/1/act/train_with_changes/"),
    *("training/trainingrun/1/delete/", "training/trainingrun/1/history/", "recognition/modelversion/", "auth/user/"),
    *("recognition/modelversion/1/change/", "auth/user/add/", "auth/user/1/change/", "password_change/", "nowhere/"),
]


class Inline(HTMLParser):
    """What a strict policy would refuse in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        data = given.get("type") == "application/json"  # no script, whatever its tag
        if tag == "style" or (tag == "script" and "src" not in given and not data):
            self.found.append(f"<{tag}>")
        self.found += [f"{tag} {name}" for name in given if name == "style" or name.startswith("on")]


def assert_page(answer: Any) -> None:
    text = answer.content.decode()
    assert text.lstrip().startswith("<!doctype html>") or text.lstrip().startswith("<!DOCTYPE html>"), text[:100]
    assert Inline(text).found == []
    assert "Traceback" not in text


@pytest.mark.stack
@pytest.mark.parametrize("path", PAGES)
def test_pages_may_do_nothing_inline_and_do_not(stack: Stack, path: str) -> None:
    answer = stack.http.get(path, headers=HTML)
    assert_standing(answer.headers.multi_items())
    assert_strict(policy_of(answer.headers.multi_items()))
    assert f"connect-src 'self' ws://127.0.0.1:{stack.port}" in policy_of(answer.headers.multi_items())
    assert_page(answer)


@pytest.mark.stack
@pytest.mark.parametrize("path", [*OTHERS, *STATIC])
def test_responses_other_than_pages_allow_nothing(stack: Stack, path: str) -> None:
    answer = stack.http.get(path)
    assert_standing(answer.headers.multi_items())
    assert policy_of(answer.headers.multi_items()) == NO_PAGE
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.stack
def test_refusals_have_the_headers_too(stack: Stack) -> None:
    style, evil = style_sheet(stack), {"Origin": "https://evil.example"}
    preflight = evil | {"Access-Control-Request-Method": "POST"}
    refused = [
        (400, stack.http.get("/", headers={"Host": "rebound.example"})),
        (400, stack.http.get(style, headers={"Host": "rebound.example"})),
        (403, stack.http.get("/", headers={"X-Forwarded-For": "203.0.113.7"})),
        (403, stack.http.post("/api/stop_training/", headers=evil)),
        (200, stack.http.options("/api/stop_training/", headers=preflight)),
        (405, stack.http.get("/api/stop_training/")),
        (405, stack.http.post("/api/progress/")),
        (405, stack.http.post(style)),
        (413, stack.http.post("/api/drawing/", content=b"x" * 1_100_000)),
        (304, stack.http.get(style, headers={"If-None-Match": stack.http.get(style).headers["etag"]})),
    ]
    for status, answer in refused:
        assert answer.status_code == status
        assert_standing(answer.headers.multi_items())
        assert policy_of(answer.headers.multi_items())


@pytest.mark.stack
@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /api/\xe9 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /api/runs/?\xe9 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /api/runs/ HTTP/1.1\r\nHost: localhost\r\nX(: 1\r\n\r\n",
    ],
)
def test_what_the_server_refuses_itself_is_no_page(stack: Stack, request_bytes: bytes) -> None:
    said = send_raw(stack.port, request_bytes)
    assert said.startswith(b"HTTP/1.1 400")
    assert b"<" not in said


# --- The admin, and pages of errors ---


@pytest.fixture
def operator(shipped: None) -> Client:
    client = Client(HTTP_HOST="localhost", HTTP_ACCEPT="text/html", raise_request_exception=False)
    client.force_login(User.objects.create_superuser("ada"))
    return client


@pytest.mark.parametrize("path", ADMIN)
def test_admin_pages_may_do_nothing_inline_and_do_not(operator: Client, path: str) -> None:
    numbers = {
        "trainingrun/1": f"trainingrun/{TrainingRun.objects.get().pk}",
        "modelversion/1": f"modelversion/{ModelVersion.objects.get().pk}",
        "user/1": f"user/{User.objects.get().pk}",
    }
    for one, its in numbers.items():
        path = path.replace(one, its)
    answer = operator.get(f"/admin/{path}")
    expected = {"nowhere/": 404, "delete/": 403}  # nobody deletes a run
    assert answer.status_code == next((status for end, status in expected.items() if path.endswith(end)), 200)
    assert_standing(list(answer.items()))
    assert_strict(policy_of(list(answer.items())))
    assert_page(answer)


def broken(*_: Any, **__: Any) -> Any:
    raise RuntimeError("a secret of the server")


def test_a_page_that_breaks_says_nothing_of_why(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.pages.render", broken)
    answer = operator.get("/", headers={"Accept": "text/html"})
    assert answer.status_code == 500
    assert_standing(list(answer.items()))
    assert_strict(policy_of(list(answer.items())))
    assert_page(answer)
    assert "secret" not in answer.content.decode()
    sheet = answer.content.decode().split('rel="stylesheet" href="')[1].split('"')[0]
    assert b"--ground" in b"".join(operator.get(sheet).streaming_content)


def test_a_call_that_breaks_says_it_in_json(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.api.views.current_progress", broken)
    answer = operator.get("/api/training_progress/", HTTP_ACCEPT="*/*")
    assert (answer.status_code, answer.json()["code"]) == (500, "server_error")
    assert policy_of(list(answer.items())) == NO_PAGE
    assert "secret" not in answer.content.decode()


@pytest.mark.parametrize(
    ("headers", "status", "words"),
    [
        ({"HTTP_HOST": "rebound.example"}, 400, "does not answer to that host name"),
        ({}, 403, "The form has expired"),
        ({"HTTP_ORIGIN": "https://evil.example"}, 403, "another site"),
    ],
)
def test_a_browser_is_told_in_a_page(db: None, headers: dict[str, str], status: int, words: str) -> None:
    given = {"HTTP_HOST": "localhost", "HTTP_ACCEPT": "text/html", **headers}
    answer = Client(enforce_csrf_checks=True).post("/admin/login/", **given)
    assert answer.status_code == status
    assert_page(answer)
    assert words in answer.content.decode()
    plain = Client(enforce_csrf_checks=True).post("/admin/login/", **{**given, "HTTP_ACCEPT": "*/*"})
    assert (plain.status_code, set(plain.json())) == (status, {"code", "message", "detail"})


# --- nginx ---


@pytest.mark.stack
def test_headers_are_there_once_though_nginx_stands_before(scaled: Scaled) -> None:
    style = style_sheet(scaled)
    for path in (style, "/", "/api/runs/", "/api/progress/", "/api/nowhere/", "/static/nothing.css"):
        assert_standing(scaled.http.get(path).headers.multi_items())
    for path in (style, "/api/runs/", "/api/progress/"):
        assert policy_of(scaled.http.get(path).headers.multi_items()) == NO_PAGE
    assert_strict(policy_of(scaled.http.get("/", headers=HTML).headers.multi_items()))
    refusal = scaled.http.post("/api/drawing/", content=b"x" * 1_100_000)
    assert refusal.status_code == 413
    assert_standing(refusal.headers.multi_items())
    assert policy_of(refusal.headers.multi_items()) == NO_PAGE


@pytest.mark.stack
@pytest.mark.parametrize(("host", "served"), [("localhost", True), ("[::1]:8000", True), ("rebound.example", False)])
def test_nginx_gives_its_files_to_its_own_hosts_alone(scaled: Scaled, host: str, served: bool) -> None:
    for path in (style_sheet(scaled), "/healthz"):
        answer = httpx.get(f"{scaled.url}{path}", headers={"Host": host})
        assert answer.status_code == (200 if served else 400), path
