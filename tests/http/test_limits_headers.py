"""What answers tell browsers about themselves: once each, whoever answers, and nothing inline on any page."""

from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from django.test import Client
from prometheus_client import REGISTRY

from digits_site.web.middleware.security_headers import NON_PAGE_POLICY
from recognition.models import ModelVersion
from tests.support.security_headers import HTML, assert_standing, assert_strict, policy_of, style_sheet
from tests.support.stack import Stack
from training.models import TrainingRun

PAGES = ["/", "/runs/", "/runs/1/", "/runs/compare/", "/admin/login/", "/nowhere", "/runs/999/"]
OTHERS = [
    *("/", "/healthz", "/readyz", "/metrics", "/api/runs/", "/api/nowhere/", "/api/progress/", "/api/models/1/onnx/"),
    *("/static/recognition/favicon.svg", "/static/admin/css/base.css", "/static/training/js/admin/dashboard.js"),
]
ADMIN = [
    *("", "training/trainingrun/", "training/trainingrun/{run}/change/", "accounts/accesstoken/add/"),
    *("training/trainingrun/{run}/act/train_with_changes/", "training/trainingrun/{run}/history/"),
    *("recognition/modelversion/", "recognition/modelversion/{model}/change/", "auth/user/", "auth/user/add/"),
    *("auth/user/{user}/change/", "password_change/", "nowhere/"),
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


def headers_of(answer: Any) -> list[tuple[str, str]]:
    """Of httpx or of Django's test client."""
    return answer.headers.multi_items() if isinstance(answer, httpx.Response) else list(answer.items())


def assert_strict_page(answer: Any) -> None:
    assert_standing(headers_of(answer))
    assert_strict(policy_of(headers_of(answer)))
    assert_page(answer)


def assert_page(answer: Any) -> None:
    text = answer.content.decode()
    assert text.lstrip().lower().startswith("<!doctype html>"), text[:100]
    assert Inline(text).found == []
    assert "Traceback" not in text


@pytest.mark.stack
@pytest.mark.parametrize("path", PAGES)
def test_pages_may_do_nothing_inline_and_do_not(stack: Stack, path: str) -> None:
    answer = stack.http.get(path, headers=HTML)
    assert_strict_page(answer)
    assert f"connect-src 'self' ws://127.0.0.1:{stack.port}" in policy_of(headers_of(answer))


@pytest.mark.stack
@pytest.mark.parametrize("path", OTHERS)
def test_responses_other_than_pages_allow_nothing(stack: Stack, path: str) -> None:
    answer = stack.http.get(path)
    assert_standing(headers_of(answer))
    assert policy_of(headers_of(answer)) == NON_PAGE_POLICY
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.stack
def test_refusals_have_the_headers_too(stack: Stack) -> None:
    style, evil = style_sheet(stack), {"Origin": "https://evil.example"}
    preflight = evil | {"Access-Control-Request-Method": "POST"}
    refused = [
        (400, stack.http.get("/", headers={"Host": "rebound.example"})),
        (400, stack.http.get(style, headers={"Host": "rebound.example"})),
        (403, stack.http.get("/", headers={"X-Forwarded-For": "203.0.113.7"})),
        (403, stack.http.get(style, headers={"X-Forwarded-For": "203.0.113.7"})),
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
        assert_standing(headers_of(answer))
        assert policy_of(headers_of(answer))


# --- The admin, and pages of errors ---


@pytest.fixture
def operator(shipped: None) -> Client:
    client = Client(HTTP_HOST="localhost", HTTP_ACCEPT="text/html", raise_request_exception=False)
    client.force_login(User.objects.create_superuser("ada"))
    return client


def test_admin_pages_may_do_nothing_inline_and_do_not(operator: Client) -> None:
    numbers = {
        "run": TrainingRun.objects.get().pk,
        "model": ModelVersion.objects.get().pk,
        "user": User.objects.get().pk,
    }
    expected = {"nowhere/": 404}
    for path in ADMIN:
        answer = operator.get(f"/admin/{path.format(**numbers)}")
        assert answer.status_code == expected.get(path, 200), path
        assert_strict_page(answer)


def broken(*_: Any, **__: Any) -> Any:
    raise RuntimeError("a secret of the server")


def server_errors() -> tuple[float, float]:
    """How many pages and answers of any kind this process has counted as broken."""
    labels = {"route": "home", "method": "GET", "status": "5xx"}
    pages = REGISTRY.get_sample_value("digits_http_requests_total", labels)
    return pages or 0, REGISTRY.get_sample_value("digits_refusals_total", {"code": "server_error"}) or 0


def test_a_page_that_breaks_is_counted_and_says_nothing_of_why(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.pages.render", broken)
    pages, refusals = server_errors()
    answer = operator.get("/", headers={"Accept": "text/html"})
    assert answer.status_code == 500
    assert server_errors() == (pages + 1, refusals + 1)
    assert_strict_page(answer)
    assert "secret" not in answer.content.decode()
    sheet = answer.content.decode().split('rel="stylesheet" href="')[1].split('"')[0]
    assert b"--ground" in b"".join(operator.get(sheet).streaming_content)


def test_a_call_that_breaks_says_it_in_json(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.api.views.current_progress", broken)
    answer = operator.get("/api/training_progress/", HTTP_ACCEPT="*/*")
    assert (answer.status_code, answer.json()["code"]) == (500, "server_error")
    assert policy_of(headers_of(answer)) == NON_PAGE_POLICY
    assert "secret" not in answer.content.decode()


@pytest.mark.parametrize(
    ("headers", "status", "words"),
    [
        ({"HTTP_HOST": "rebound.example"}, 400, "This host name is not served here"),
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


def test_a_post_that_skips_the_middleware_of_pages_has_the_same_headers(db: None, client: Client) -> None:
    """One without a session cookie does (SessionlessMiddleware)."""
    signed_in = Client()
    signed_in.force_login(User.objects.create_user("ada"))
    for path, body in {"/api/drawing/": "{}", "/api/nowhere": "{}", "/api/stop_training/?wrong=1": ""}.items():
        short, whole = (one.post(path, body, "application/json") for one in (client, signed_in))
        assert short.status_code == whole.status_code
        assert short.json() == whole.json()
        assert "origin" in short["Vary"]
        of_short, of_whole = (dict(answer.items()) | {"X-Request-ID": "", "Vary": ""} for answer in (short, whole))
        assert of_short == of_whole
        assert_standing(headers_of(short))
