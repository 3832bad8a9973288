"""What can stand in the service's place, and what a client says of it. Servers of the tests' own."""

import json
import math
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

import pytest
from test_events import epoch, snapshot
from websockets.sync.server import ServerConnection, serve

from digits import BadArgument, Busy, Completed, Digits, EpochFinished, Failed, UnknownAnswer, Unreachable
from digits.cli import progress
from digits.events import decode

SEVEN = b"no picture, but nobody looks"


@contextmanager
def answering(status: int, body: bytes = b"", **headers: str) -> Iterator[tuple[str, list[float]]]:
    """The URL of a server with one answer to everything, and the times at which it was asked."""
    asked: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(time.monotonic())
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


@contextmanager
def sending(handler: Callable[[ServerConnection, int], None]) -> Iterator[str]:
    """The URL of a WebSocket server whose handler also gets the connection's number, from 0."""
    numbers = count()
    with serve(lambda socket: handler(socket, next(numbers)), "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()


@pytest.mark.parametrize(
    ("words", "answer", "text"),
    [
        (("stop", "13"), {"message": "Run 13 is cancelled.", "run": 13}, "Run 13 is cancelled."),
        (("stop", "13"), {"message": "Stop signal sent.", "run": 13}, "run 13 stops"),
        (("train",), {"message": "Model creation started", "run": 13}, "run 13 starts"),
        (("train", "--queue"), {"message": "", "run": 13, "queue_position": 0}, "run 13 starts"),
        (("train", "--queue"), {"message": "", "run": 13, "queue_position": 1}, "run 13 waits, number 1 in line"),
    ],
)
def test_the_command_line_says_what_the_server_did(
    words: tuple[str, ...], answer: dict[str, object], text: str
) -> None:
    with answering(200, json.dumps(answer).encode()) as (url, _):
        command = [str(Path(sys.executable).with_name("digits")), "--url", url, *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        assert done.stdout == f"{text}\n"
        done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=60, check=True)
        assert answer.items() <= json.loads(done.stdout).items()


@pytest.mark.parametrize(
    "body",
    [b"<html>Sign in</html>", b"", b"{}", b"[1]", b'{"x":' * 50_000],
    ids=["page", "empty", "keys", "list", "deep"],
)
def test_what_answers_something_else_is_not_the_service(body: bytes) -> None:
    with answering(200, body) as (url, asked), Digits(url) as digits:
        for call in (lambda: digits.predict(SEVEN), digits.train, lambda: digits.run(1)):
            with pytest.raises(UnknownAnswer):
                call()
        assert len(asked) == 3, "nothing is asked again"


def test_a_redirect_says_where_to() -> None:
    moved = pytest.raises(UnknownAnswer, match="moved to https")
    with answering(301, Location="https://digits.example/") as (url, _), Digits(url) as digits, moved:
        digits.run(1)


def test_a_busy_server_is_asked_again_with_pauses_and_not_for_ever() -> None:
    busy = answering(503, b"<html>", Retry_After="0")
    with busy as (url, asked), Digits(url, patience=2) as digits, pytest.raises(Busy) as error:
        digits.run(1)
    assert 2 <= len(asked) <= 5
    copy = pickle.loads(pickle.dumps(error.value))
    assert (type(copy), copy.status, str(copy)) == (Busy, 503, str(error.value))


@pytest.mark.parametrize(
    ("status", "body", "repeats"),
    [
        (429, {}, True),
        (503, {"code": "busy"}, True),
        (503, {"code": "queue_unavailable", "run": 7}, False),
        (502, {}, False),
        (504, {}, False),
        (500, {"code": "server_error"}, False),
    ],
)
def test_what_must_not_happen_twice_is_repeated_only_if_nothing_was_done(
    status: int, body: dict[str, object], repeats: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digits.calls.FIRST_PAUSE", 0.1)
    answers = answering(status, json.dumps(body).encode(), Retry_After="0")
    with answers as (url, asked), Digits(url, patience=0.8) as digits, pytest.raises(Busy):
        digits.train()
    assert (len(asked) > 1) == repeats


def test_a_damaged_answer_is_not_the_services() -> None:
    with answering(200, b"no gzip", Content_Encoding="gzip") as (url, asked), Digits(url) as digits:
        with pytest.raises(UnknownAnswer):
            digits.run(1)
        assert len(asked) == 1
    batch = answering(200, b'{"model": 1, "results": [{}]}')
    with batch as (url, _), Digits(url) as digits, pytest.raises(UnknownAnswer):
        digits.predict_many([SEVEN])
    with pytest.raises(UnknownAnswer):
        decode('{"type":"snapshot","x":' + "[" * 100_000)


def test_a_proxy_of_the_environment_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "ftp://127.0.0.1")
    with pytest.raises(BadArgument):
        Digits()


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_what_people_wrote_is_printed_as_it_is(encoding: str) -> None:
    run = snapshot(5, 1, name="[/] :smile: \u4e2d " + "x" * 90, requested_by="y" * 150)["run"]
    with answering(200, json.dumps({"results": [run], "next": None}).encode()) as (url, _):
        command = [str(Path(sys.executable).with_name("digits")), "--url", url, "runs"]
        variables = os.environ | {"PYTHONIOENCODING": encoding}
        done = subprocess.run(command, capture_output=True, env=variables, timeout=60, check=True)
    name = "[/] :smile: \u4e2d" if encoding == "utf-8" else r"[/] :smile: \u4e2d"
    assert f"{name} {'x' * 90}" in done.stdout.decode(encoding)
    assert "y" * 150 in done.stdout.decode(encoding)


def test_values_that_json_has_no_word_for_are_not_sent() -> None:
    with answering(202, b'{"run": 1}') as (url, asked), Digits(url) as digits:
        for call in (
            lambda: digits.train(learning_rate=math.nan),
            lambda: digits.train("\udcff"),
            lambda: digits.train(name=object()),
            lambda: list(digits.runs(status="\udcff")),
        ):
            with pytest.raises(BadArgument):
                call()
        assert asked == []
    with pytest.raises(BadArgument):
        Digits(patience=math.nan)


@pytest.mark.parametrize(
    "url",
    [
        f"http://{'a' * 300}.x",
        "127.0.0.1:8000",
        "ftp://127.0.0.1",
        "http://",
        "http://[::1",
        "http://a:99999",
        "http://a/?x=1",
    ],
)
def test_addresses(url: str) -> None:
    with pytest.raises(BadArgument):
        Digits(url)


def test_a_token_may_end_in_a_line_end_and_is_never_shown() -> None:
    assert Digits(token="digits_secret\n")._http.headers["Authorization"] == "Token digits_secret"
    with pytest.raises(BadArgument) as error:
        Digits(token="digits_secr\u00e9t")
    assert "secr" not in str(error.value)


def test_a_stream_that_was_quiet_for_longer_than_patience_is_connected_again() -> None:
    def handler(socket: ServerConnection, number: int) -> None:
        if number == 0:
            socket.send(json.dumps(snapshot(5, 1)))
            time.sleep(1.5)
            socket.close(1012)
            return
        socket.send(json.dumps(epoch(5, 2)))
        socket.send(json.dumps(snapshot(5, 2, "completed")))
        socket.recv()  # until the client has gone

    with sending(handler) as url, Digits(url, patience=1) as digits:
        events = []
        for event in digits.watch():
            events.append(event)
            if isinstance(event, Completed):
                break
    assert [event.epoch for event in events if isinstance(event, EpochFinished)] == [1, 2]


def test_why_there_are_no_events_is_told() -> None:
    closing, talking = sending(lambda socket, _: socket.close(4029)), sending(lambda socket, _: socket.send("<html>"))
    told = pytest.raises(Unreachable, match="too many streams")
    with closing as url, Digits(url, patience=0) as digits, told:
        list(digits.watch())
    with talking as url, Digits(url) as digits, pytest.raises(UnknownAnswer):
        list(digits.watch())


def test_a_failed_runs_words_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    event = Failed(run=5, error_code="dataset", error="cannot read [/var/lib/x] or [x]")
    assert progress.show([event], as_json=False) is False
    assert "cannot read [/var/lib/x] or [x]" in capsys.readouterr().out
