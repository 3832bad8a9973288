"""Log lines: which request and which run they belong to, one JSON object each, and nothing that a visitor sent."""

import json
import logging
import re
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import Client

from digits_site.observability.logging import ContextFilter, formatter, request_id, run_context
from digits_site.web.middleware.request_id import access
from tests.support.stack import PATIENCE_SECONDS, ROOT, Stack, eventually

SECRET = "seen-by-nobody"


class Lines(logging.Handler):
    """What a console in this format would show."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.setFormatter(formatter(kind))
        self.addFilter(ContextFilter())

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def logged(kind: str, message: str, *words: object, **more: Any) -> str:
    """One line of a logger of our own."""
    handler = Lines(kind)
    logger = logging.getLogger("digits.test")
    logger.addHandler(handler)
    logger.warning(message, *words, **more)
    logger.removeHandler(handler)
    return handler.lines[0]


# --- Formats ---


def test_a_line_ends_with_its_run_and_request() -> None:
    token = request_id.set("abc")
    try:
        with run_context(12):
            assert logged("line", "made of %s", "words") == "WARNING digits.test: made of words [request abc] [run 12]"
    finally:
        request_id.reset(token)
    assert logged("line", "alone") == "WARNING digits.test: alone"


def test_json_is_one_line_whatever_is_in_it() -> None:
    message = 'two\nlines, "quotes", \r\u2028 and \x00 é'
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        with run_context(7):
            line = logged("json", message, exc_info=True)
    assert len(line.splitlines()) == 1
    found = json.loads(line)
    assert found["message"] == message
    assert found["exc_info"].splitlines()[0].startswith("Traceback")
    assert found["exc_info"].endswith("second")
    assert (found["level"], found["logger"], found["run_id"]) == ("WARNING", "digits.test", 7)
    assert datetime.fromisoformat(found["time"]).utcoffset() == timedelta(0)
    assert "request_id" not in found, "what there is not is left out"


# --- Requests, in process ---


@pytest.fixture
def lines() -> Any:
    """The access log, as in public mode."""
    handler = Lines("json")
    access.addHandler(handler)
    level = access.level
    access.setLevel(logging.INFO)
    yield handler.lines
    access.removeHandler(handler)
    access.setLevel(level)


def test_every_answer_has_an_id_of_its_own_and_a_line(client: Client, lines: list[str]) -> None:
    answers = [client.get(path) for path in ("/healthz", "/healthz", f"/nowhere/{SECRET}?token={SECRET}")]
    answers.append(client.post("/api/drawing/", {}, HTTP_ORIGIN="http://elsewhere.example"))
    ids = [answer["X-Request-ID"] for answer in answers]
    assert len(set(ids)) == 4
    found = [json.loads(line) for line in lines]
    assert [line["request_id"] for line in found] == ids
    assert [(line["method"], line["route"], line["status"]) for line in found] == [
        ("GET", "healthz", 200),
        ("GET", "healthz", 200),
        ("GET", "unknown", 404),
        ("POST", "unknown", 403),
    ]
    assert all(line["milliseconds"] >= 0 for line in found)
    assert SECRET not in "".join(lines)
    assert request_id.get() is None, "the next request in this thread is another"


@pytest.mark.parametrize(
    ("proxies", "given", "taken"),
    [
        (1, "Req-1.a_b", True),
        (1, "x" * 64, True),
        (0, "Req-1.a_b", False),
        (1, "x" * 65, False),
        (1, "a b", False),
        (1, "a\nb", False),
        (1, "é", False),
        (1, "", False),
    ],
)
def test_a_proxys_id_is_taken_when_it_is_trusted_and_sane(
    client: Client, settings, proxies: int, given: str, taken: bool
) -> None:
    settings.TRUSTED_PROXIES = proxies
    answered = client.get("/healthz", HTTP_X_REQUEST_ID=given)["X-Request-ID"]
    assert (answered == given) is taken
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", answered)


# --- As it runs ---


def objects(log: str) -> list[dict[str, Any]]:
    """Every line of a process that logs JSON; ValueError for one that is no object."""
    return [json.loads(line) for line in log.splitlines(keepends=True) if line.endswith("\n")]


def test_json_from_a_running_product(tmp_path: Path) -> None:
    """Of web and worker: a run's lines name it, a request's line is found by its header, nothing else is printed."""
    stack = Stack(tmp_path, LOG_FORMAT="json")
    try:
        stack.start_redis()
        stack.prepare()
        stack.start_web()
        stack.start_worker()
        number = stopped_run(stack)
        answer = stack.http.get(f"/api/runs/{number}/?password={SECRET}")
        stack.http.post("/api/drawing/", json={"drawing": SECRET})
        own = answer.headers["X-Request-ID"]
        found = eventually(lambda: by_id(stack, own), 10, "the access line")
        assert (found["logger"], found["route"], found["status"]) == ("digits.access", "run", 200)
        assert SECRET not in stack.log("web")

        spoken = [line for line in objects_of_ours(stack.log("worker")) if line["logger"] == "training.worker.runner"]
        assert len(spoken) >= 2, "claimed, interrupted"
        assert {line["run_id"] for line in spoken} == {number}
    finally:
        stack.close()


def by_id(stack: Stack, own: str) -> dict[str, Any]:
    return next((line for line in objects(stack.log("web")) if line.get("request_id") == own), {})


def stopped_run(stack: Stack) -> int:
    """A run that a worker had and that was stopped: the shortest there is."""
    number = stack.train(samples=8192, epochs=50)
    eventually(lambda: stack.run(number)["status"] == "in_progress", PATIENCE_SECONDS, "a worker's claim")
    stack.http.post("/api/stop_training/")
    assert stack.ended(number)["status"] == "interrupted"
    return number


def objects_of_ours(log: str) -> list[dict[str, Any]]:
    """Without Celery's banner."""
    return [json.loads(line) for line in log.splitlines() if line.startswith("{")]


def test_a_terminal_stays_quiet_and_names_the_run(stack: Stack) -> None:
    number = stopped_run(stack)
    httpx.get(f"{stack.url}/healthz")
    eventually(lambda: f"interrupted [run {number}]" in stack.log("worker"), 10, "the run's last line")
    assert "digits.access" not in stack.log("web")


def test_an_unknown_format_is_refused_at_the_start(tmp_path: Path) -> None:
    environment = {"LOG_FORMAT": "xml", "DATA_DIR": str(tmp_path), "PATH": ""}
    command = [sys.executable, "manage.py", "check"]
    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert answer.returncode != 0
    assert "digits.E020" in answer.stderr
