"""Log lines: which request and which run they belong to, one JSON object each, and nothing that a visitor sent."""

import io
import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.test import Client

from digits_site.observability.logging import ContextFilter, formatter, request_id, run_context
from digits_site.web.middleware.request_id import access
from tests.support.stack import PATIENCE_SECONDS, ROOT, Stack, eventually, running

SECRET = "seen-by-nobody"


@contextmanager
def console(logger: logging.Logger, kind: str) -> Iterator[io.StringIO]:
    """What a console in this format would show of a logger."""
    shown, level = io.StringIO(), logger.level
    handler = logging.StreamHandler(shown)
    handler.setFormatter(formatter(kind))
    handler.addFilter(ContextFilter())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield shown
    logger.removeHandler(handler)
    logger.setLevel(level)


def logged(kind: str, message: str, *words: object, **more: Any) -> str:
    """One line of a logger of our own."""
    logger = logging.getLogger("digits.test")
    with console(logger, kind) as shown:
        logger.warning(message, *words, **more)
    return shown.getvalue().removesuffix("\n")


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


def test_every_answer_has_an_id_of_its_own_and_a_line(client: Client) -> None:
    with console(access, "json") as shown:
        answers = [client.get(path) for path in ("/healthz", "/healthz", f"/nowhere/{SECRET}?token={SECRET}")]
        answers.append(client.post("/api/drawing/", {}, HTTP_ORIGIN="http://elsewhere.example"))
    ids = [answer["X-Request-ID"] for answer in answers]
    assert len(set(ids)) == 4
    found = [json.loads(line) for line in shown.getvalue().splitlines()]
    assert [(line["request_id"], line["method"], line["route"], line["status"]) for line in found] == [
        (ids[0], "GET", "healthz", 200),
        (ids[1], "GET", "healthz", 200),
        (ids[2], "GET", "unknown", 404),
        (ids[3], "POST", "unknown", 403),
    ]
    assert all(line["milliseconds"] >= 0 for line in found)
    assert SECRET not in shown.getvalue()
    assert request_id.get() is None, "the next request in this thread is another"


def test_a_proxys_id_is_taken_when_it_is_trusted_and_sane(client: Client, settings) -> None:
    cases = [(1, "Req-1.a_b", True), (1, "x" * 64, True), (0, "Req-1.a_b", False)]
    for proxies, given, taken in cases + [(1, bad, False) for bad in ("x" * 65, "a b", "a\nb", "é", "")]:
        settings.TRUSTED_PROXIES = proxies
        answered = client.get("/healthz", HTTP_X_REQUEST_ID=given)["X-Request-ID"]
        assert (answered == given) is taken, given
        assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", answered)


# --- As it runs ---


def test_json_from_a_running_product(tmp_path: Path) -> None:
    """Of web and worker: a run's lines name it, a request's line is found by its header, nothing else is printed."""
    with running(tmp_path, LOG_FORMAT="json") as stack:
        number = stopped_run(stack)
        own = stack.http.get(f"/api/runs/{number}/?password={SECRET}").headers["X-Request-ID"]
        stack.http.post("/api/drawing/", json={"drawing": SECRET})

        def line_of_request() -> dict[str, Any]:
            """A line that is no JSON is a ValueError."""
            lines = map(json.loads, whole_lines(stack, "web"))
            return next((line for line in lines if line.get("request_id") == own), {})

        found = eventually(line_of_request, 10, "the access line")
        assert (found["logger"], found["route"], found["status"]) == ("digits.access", "run", 400)
        assert SECRET not in stack.log("web")

        def of_run() -> list[int]:
            lines = [json.loads(line) for line in whole_lines(stack, "worker") if line.startswith("{")]  # no banner
            return [line["run_id"] for line in lines if line["logger"] == "training.worker.runner"]

        eventually(lambda: len(of_run()) >= 2, 10, "claimed, interrupted")
        assert set(of_run()) == {number}


def whole_lines(stack: Stack, name: str) -> list[str]:
    """A process' log as far as it is written."""
    return stack.log(name).rpartition("\n")[0].splitlines()


def stopped_run(stack: Stack) -> int:
    """A run that a worker had and that was stopped: the shortest there is."""
    number = stack.train(samples=8192, epochs=50)
    eventually(lambda: stack.run(number)["status"] == "in_progress", PATIENCE_SECONDS, "a worker's claim")
    stack.http.post("/api/stop_training/")
    assert stack.ended(number)["status"] == "interrupted"
    return number


def test_a_terminal_stays_quiet_and_names_the_run(stack: Stack) -> None:
    number = stopped_run(stack)
    stack.http.get("/healthz")
    eventually(lambda: f"interrupted [run {number}]" in stack.log("worker"), 10, "the run's last line")
    assert "digits.access" not in stack.log("web")


def test_an_unknown_format_is_refused_at_the_start(tmp_path: Path) -> None:
    environment = {"LOG_FORMAT": "xml", "DATA_DIR": str(tmp_path), "PATH": ""}
    command = [sys.executable, "manage.py", "check"]
    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert answer.returncode != 0
    assert "digits.E020" in answer.stderr
