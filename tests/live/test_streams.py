"""Live training as viewers see it: every epoch exactly once, in order, whatever is lost on the way."""

import json
import time
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.support.browser import launch_chromium  # noqa: F401 (a fixture)
from tests.support.retries import first_good
from tests.support.stack import PATIENCE_SECONDS, ROOT, Stack, eventually
from tests.support.watcher import Watcher

pytestmark = pytest.mark.stack


def watch_early_and_late(stack: Stack) -> tuple[int, Watcher, Watcher]:
    """A run, a viewer who saw all of it, and one who came in the middle."""
    early = Watcher(stack.ws_url)
    run = stack.train(samples=1000, epochs=5, batch_size=16)
    eventually(lambda: early.epochs.get(run), PATIENCE_SECONDS, "the first epoch")
    late = Watcher(stack.ws_url)
    assert early.wait_for_end(run) == late.wait_for_end(run) == "completed"
    return run, early, late


@pytest.mark.postgres
def test_early_and_late_viewers_see_every_epoch_once_in_order(stack: Stack) -> None:
    # An event in transit for longer than DELIVERY_SECONDS, on a busy machine, is replaced by a snapshot.
    run, early, late = first_good(lambda: watch_early_and_late(stack), lambda seen: len(seen[1].of("snapshot")) == 1)
    assert early.epochs[run] == late.epochs[run] == [1, 2, 3, 4, 5]
    assert late.messages[0]["type"] == "snapshot"
    assert late.messages[0]["run"]["id"] == run
    turns = [m["type"] for m in early.messages if m["type"] in {"queued", "started", "completed"}]
    assert turns == ["queued", "started", "completed"]
    persisted = [m["seq"] for m in early.messages if m.get("run") == run and m["type"] not in {"batch", "phase"}]
    assert persisted == list(range(1, 9)), "queued, started, five epochs, completed"
    batches = early.of("batch")
    assert all(1 <= b["step"] <= b["steps"] and 0 <= b["accuracy"] <= 1 for b in batches)
    span = batches[-1]["time"] - batches[0]["time"]
    assert len(batches) <= span * 10 + 5 + 2, "ten a second, and the last of each epoch"


def test_a_viewer_between_two_runs_sees_the_second_begin(stack: Stack) -> None:
    viewer = Watcher(stack.ws_url)
    for _ in range(2):
        run = stack.train(samples=64, epochs=1)
        assert viewer.wait_for_end(run) == "completed"
        assert viewer.epochs[run] == [1]


def test_foreign_origins_and_unknown_paths_are_refused_at_the_handshake(stack: Stack) -> None:
    refused = {"http://evil.example": 403, "null": 403, "http://127.0.0.1:1": 403, "nonsense": 400, "http://": 400}
    for path, origin, status in [*(("", *pair) for pair in refused.items()), ("nothing/", stack.url, 403)]:
        with pytest.raises(InvalidStatus) as refusal:
            connect(stack.ws_url + path, origin=Origin(origin))
        assert refusal.value.response.status_code == status, origin
    document = (ROOT / "docs" / "asyncapi.yaml").read_text()
    assert all(f"with HTTP {status}" in document for status in (400, 403))


def test_own_and_trusted_origins_are_welcome(stack: Stack) -> None:
    for origin in (stack.url, "http://localhost:3000"):
        with connect(stack.ws_url, origin=Origin(origin)) as socket:
            assert json.loads(socket.recv(30))["type"] == "snapshot"


@pytest.mark.postgres
def test_redis_dies_and_returns_in_mid_run(stack: Stack) -> None:
    """Status and snapshot go on from the database; viewers catch up within five seconds; no epoch is lost."""
    viewer = Watcher(stack.ws_url)
    run = stack.train(samples=1500, epochs=16, batch_size=16)
    eventually(lambda: viewer.epochs.get(run), PATIENCE_SECONDS, "the first epoch")
    stack.kill("redis")
    known = len(stack.run(run)["epochs"])
    stack.begun(run, known + 1)
    assert stack.http.get("/api/check_model_status/").json() == {"model_status": "in_progress"}
    assert stack.http.get("/api/training_progress/").json()["max_epochs"] == 16
    assert stack.http.get("/readyz").status_code == 503
    blind = Watcher(stack.ws_url)
    eventually(lambda: blind.messages, 5, "a snapshot without Redis")
    assert blind.messages[0]["run"]["id"] == run
    stack.start_redis()
    back = time.monotonic()
    known = len(stack.run(run)["epochs"])
    assert known < 16, "the run goes on"
    eventually(lambda: len(blind.epochs.get(run, [])) >= known, 5, "catching up")
    assert time.monotonic() - back < 6
    assert viewer.wait_for_end(run) == blind.wait_for_end(run) == "completed"
    assert viewer.epochs[run] == blind.epochs[run] == list(range(1, 17))


def test_flushall_in_mid_run_changes_nothing(stack: Stack) -> None:
    import redis

    viewer = Watcher(stack.ws_url)
    run = stack.train(samples=1000, epochs=12, batch_size=16)
    eventually(lambda: viewer.epochs.get(run), PATIENCE_SECONDS, "the first epoch")
    redis.Redis(port=stack.redis_port).flushall()
    assert stack.http.get("/api/check_model_status/").json() == {"model_status": "in_progress"}
    assert viewer.wait_for_end(run) == "completed"
    assert viewer.epochs[run] == list(range(1, 13))


FOLLOW = """() => new Promise((resolve) => {
  const source = new EventSource("/api/progress/"), seen = [];
  source.onmessage = (event) => seen.push([event.lastEventId, JSON.parse(event.data).event]);
  source.onerror = () => source.readyState === EventSource.CLOSED && resolve(seen);
})"""


@pytest.mark.browser
def test_a_browsers_event_source_stops_asking_after_the_end(stack: Stack, chromium: Any) -> None:
    run = stack.train(samples=600, epochs=1)
    page, answers = chromium.new_page(), []
    page.on("response", lambda answer: answers.extend([answer]))  # Playwright sets an attribute of it
    page.goto(stack.url)
    seen = page.evaluate(FOLLOW)
    page.close()
    assert seen[-1] == [f"{run}-end", "close"]
    assert [answer.status for answer in answers if answer.url.endswith("/api/progress/")] == [200, 204]
    stack.train(samples=60_000, batch_size=16)
    with httpx.stream("GET", f"{stack.url}/api/progress/", headers={"Last-Event-ID": f"{run}-end"}) as answer:
        assert answer.status_code == 200, "a newer run is streamed"
        assert next(answer.iter_lines()) == f"id: {run + 1}-0"
