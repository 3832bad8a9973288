"""Live training as viewers see it: every epoch exactly once, in order, whatever is lost on the way."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.support.stack import PATIENCE_SECONDS, Stack, eventually

pytestmark = pytest.mark.stack


class Watcher:
    """A WebSocket client that keeps what it is sent, and its view of the runs as the contract tells clients to."""

    def __init__(self, url: str) -> None:
        self.messages: list[dict[str, Any]] = []
        self.epochs: dict[int, list[int]] = {}
        self.ended: dict[int, str] = {}
        self.socket = connect(url)
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()
        eventually(lambda: self.messages, 10, "the first snapshot")

    def listen(self) -> None:
        try:
            for frame in self.socket:
                self.take(json.loads(frame))
        except ConnectionClosed:
            pass

    def take(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        if message["type"] == "snapshot" and message["run"]:
            run = message["run"]
            self.epochs[run["id"]] = [e["epoch"] for e in run["epochs"]]
            if run["finished_at"]:
                self.ended[run["id"]] = run["status"]
        elif message["type"] == "epoch":
            self.epochs.setdefault(message["run"], []).append(message["epoch"])
        elif message["type"] in {"completed", "interrupted", "error"}:
            self.ended[message["run"]] = message["type"]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [m for m in self.messages if m["type"] == kind]

    def wait_for_end(self, run: int, seconds: float = PATIENCE_SECONDS) -> str:
        return eventually(lambda: self.ended.get(run, ""), seconds, f"the end of run {run} at a viewer")

    def close(self) -> None:
        self.socket.close()


@pytest.mark.postgres
def test_early_and_late_viewers_see_every_epoch_once_in_order(stack: Stack) -> None:
    early = Watcher(stack.ws_url)
    run = stack.train(samples=2000, epochs=5, batch_size=16)
    eventually(lambda: early.epochs.get(run), PATIENCE_SECONDS, "the first epoch")
    late = Watcher(stack.ws_url)
    assert early.wait_for_end(run) == late.wait_for_end(run) == "completed"
    assert early.epochs[run] == late.epochs[run] == [1, 2, 3, 4, 5]
    assert late.messages[0]["type"] == "snapshot"
    assert late.messages[0]["run"]["id"] == run
    assert [m["type"] for m in early.messages if m["type"] in {"queued", "started", "completed"}] == [
        "queued",
        "started",
        "completed",
    ]
    persisted = [m["seq"] for m in early.messages if m.get("run") == run and m["type"] not in {"batch", "phase"}]
    assert persisted == list(range(1, 9)), "queued, started, five epochs, completed"
    batches = early.of("batch")
    assert all(1 <= b["step"] <= b["steps"] and 0 <= b["accuracy"] <= 1 for b in batches)
    span = batches[-1]["time"] - batches[0]["time"]
    assert len(batches) <= span * 10 + 5 + 2, "ten a second, and the last of each epoch"
    late.close()
    early.close()


@pytest.mark.postgres
def test_the_snapshot_is_the_run_of_the_api(stack: Stack) -> None:
    run = stack.train(samples=64, epochs=1)
    stack.ended(run)
    viewer = Watcher(stack.ws_url)
    eventually(lambda: viewer.messages, 5)
    assert viewer.messages[0] == {"type": "snapshot", "seq": 4, "run": stack.run(run)}
    viewer.close()


def test_a_viewer_between_two_runs_sees_the_second_begin(stack: Stack) -> None:
    viewer = Watcher(stack.ws_url)
    for _ in range(2):
        run = stack.train(samples=64, epochs=1)
        assert viewer.wait_for_end(run) == "completed"
        assert viewer.epochs[run] == [1]
    viewer.close()


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "nonsense", "http://"])
def test_foreign_origins_are_refused_at_the_handshake(stack: Stack, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        connect(stack.ws_url, additional_headers={"Origin": origin})
    assert refusal.value.response.status_code in {400, 403}


@pytest.mark.parametrize("own", [True, False])
def test_own_and_trusted_origins_are_welcome(stack: Stack, own: bool) -> None:
    origin = stack.url if own else "http://localhost:3000"
    with connect(stack.ws_url, additional_headers={"Origin": origin}) as socket:
        assert json.loads(socket.recv(30))["type"] == "snapshot"


def test_an_unknown_path_is_refused(stack: Stack) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        connect(stack.ws_url + "nothing/")
    assert refusal.value.response.status_code in {403, 404}


@pytest.mark.parametrize("frame", ["{", "[" * 4096, "", b"\x00\xff", "[]", "1", '{"type": 7}', '{"type": "train"}'])
def test_what_a_client_sends_is_answered_and_the_socket_stays(stack: Stack, frame: str | bytes) -> None:
    with connect(stack.ws_url) as socket:
        assert json.loads(socket.recv(30))["type"] == "snapshot"
        socket.send(frame)
        assert json.loads(socket.recv(30))["type"] == "error_frame"
        socket.send('{"type": "ping"}')
        assert json.loads(socket.recv(30)) == {"type": "pong"}
    assert "Traceback" not in stack.log("web")


def test_a_client_that_goes_on_talking_is_cut(stack: Stack) -> None:
    with connect(stack.ws_url) as socket, pytest.raises(ConnectionClosed) as cut:
        for _ in range(100):
            socket.send("{")
            socket.recv(30)
    assert cut.value.rcvd is not None
    assert cut.value.rcvd.code == 4008


@pytest.mark.postgres
def test_redis_dies_and_returns_in_mid_run(own_stack: Stack) -> None:
    """Status and snapshot go on from the database; viewers catch up within five seconds; no epoch is lost."""
    viewer = Watcher(own_stack.ws_url)
    run = own_stack.train(samples=4000, epochs=8, batch_size=16)
    eventually(lambda: viewer.epochs.get(run), PATIENCE_SECONDS, "the first epoch")
    own_stack.kill("redis")
    time.sleep(2)
    assert own_stack.http.get("/api/check_model_status/").json() == {"model_status": "in_progress"}
    assert own_stack.http.get("/api/training_progress/").json()["max_epochs"] == 8
    assert own_stack.http.get("/readyz").status_code == 503
    blind = Watcher(own_stack.ws_url)
    eventually(lambda: blind.messages, 5, "a snapshot without Redis")
    assert blind.messages[0]["run"]["id"] == run
    own_stack.start_redis()
    back = time.monotonic()
    known = len(own_stack.run(run)["epochs"])
    eventually(lambda: len(blind.epochs.get(run, [])) >= known, 5, "catching up")
    assert time.monotonic() - back < 6
    assert viewer.wait_for_end(run) == blind.wait_for_end(run) == "completed"
    assert viewer.epochs[run] == blind.epochs[run] == list(range(1, 9))


def test_flushall_in_mid_run_changes_nothing(own_stack: Stack) -> None:
    import redis

    viewer = Watcher(own_stack.ws_url)
    run = own_stack.train(samples=2000, epochs=4, batch_size=16)
    eventually(lambda: viewer.epochs.get(run), PATIENCE_SECONDS, "the first epoch")
    redis.Redis(port=own_stack.redis_port).flushall()
    assert own_stack.http.get("/api/check_model_status/").json() == {"model_status": "in_progress"}
    assert viewer.wait_for_end(run) == "completed"
    assert viewer.epochs[run] == [1, 2, 3, 4]


def test_an_event_stream_whose_client_is_gone_ends_within_a_second(own_stack: Stack) -> None:
    """Of a run that is queued, so that the stream would go on for as long as nobody takes it."""
    own_stack.kill("worker")
    own_stack.train(samples=64, epochs=1)

    def viewers() -> float:
        return next(float(line.split()[1]) for line in metrics() if line.startswith("digits_viewers "))

    def metrics() -> list[str]:
        return own_stack.http.get("/metrics").text.splitlines()

    with httpx.stream("GET", f"{own_stack.url}/api/progress/", timeout=10) as answer:
        lines = answer.iter_lines()  # kept: the end of this generator closes the connection
        next(lines)
        assert viewers() == 1
    gone = time.monotonic()
    eventually(lambda: viewers() == 0, 2, "the end of the stream")
    assert time.monotonic() - gone < 1.2
    assert "Traceback" not in own_stack.log("web")
