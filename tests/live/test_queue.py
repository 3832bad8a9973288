"""Runs that wait start by themselves, each once and in order; a run that goes on does so from the stored epoch."""

import itertools
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.stack import PATIENCE_SECONDS, Stack, eventually
from tests.support.watcher import Watcher

pytestmark = pytest.mark.stack
SHORT = {"preset": "fast", "epochs": 1, "samples": 256}


def queue(stack: Stack, **parameters: Any) -> int:
    return stack.train(queue=True, **SHORT | parameters)


def test_ten_requests_at_once_train_one_after_the_other(stack: Stack) -> None:
    first = stack.train(samples=60_000, epochs=100)
    watcher = Watcher(stack.ws_url)
    with ThreadPoolExecutor(10) as pool:
        runs = sorted(pool.map(lambda _: queue(stack), range(10)))
    assert stack.http.post("/api/retrain_model/", json=SHORT | {"queue": True}).json()["code"] == "queue_full"
    cancelled = runs.pop(4)
    assert stack.http.post("/api/stop_training/", json={"run": cancelled}).status_code == 200
    stack.http.post("/api/stop_training/")
    ended = [stack.ended(run) for run in runs]
    assert [run["status"] for run in ended] == ["completed"] * 9
    times = [(run["started_at"], run["finished_at"]) for run in ended]
    assert all(earlier[1] <= later[0] for earlier, later in itertools.pairwise(times)), "one at a time"
    assert stack.run(first)["status"] == "interrupted"
    assert stack.run(cancelled)["status"] == "cancelled"
    for run in runs:
        assert watcher.wait_for_end(run) == "completed"
        assert watcher.epochs[run] == [1]
    assert cancelled not in watcher.epochs
    watcher.close()


def test_a_run_waits_while_the_worker_is_killed_and_redis_restarts(stack: Stack) -> None:
    first = stack.train(samples=20_000, epochs=3)
    waiting = queue(stack)
    stack.begun(first, 1)
    stack.kill("worker", signal.SIGKILL)
    stack.kill("redis", signal.SIGKILL)
    stack.start_redis()
    stack.start_worker()
    assert stack.ended(first)["status"] == "completed"
    assert stack.ended(waiting)["status"] == "completed"


def test_a_stopped_run_goes_on_to_its_end(stack: Stack) -> None:
    parameters = {"samples": 10_000, "epochs": 7, "seed": 5}  # two seconds are left when it is to stop
    run = stack.train(**parameters)
    stack.begun(run, 2)
    stack.http.post("/api/stop_training/")
    stopped = stack.ended(run)
    done = len(stopped["epochs"])
    assert 2 <= done < 7
    watcher = Watcher(stack.ws_url)
    further = stack.train(from_run=run)
    ended = stack.ended(further)
    assert (ended["status"], ended["continues"], ended["resumed_after_epoch"]) == ("completed", run, done)
    assert ended["epochs"][:done] == stopped["epochs"]
    assert [epoch["epoch"] for epoch in ended["epochs"]] == list(range(1, 8))
    assert watcher.wait_for_end(further) == "completed"
    assert watcher.epochs[further] == list(range(1, 8))
    watcher.close()
    whole = stack.ended(stack.train(**parameters))
    measures = [[(epoch["loss"], epoch["accuracy"]) for epoch in each["epochs"]] for each in (ended, whole)]
    assert measures[0] == measures[1], "as if it had never been stopped"
    assert {"lock_sha256", "processor", "cores", "tensorflow_flags"} <= ended["environment"].keys()


def test_checkpoints_are_kept_for_the_newest_runs_and_go_with_theirs(stack: Stack) -> None:
    files = stack.folder / "models" / "checkpoints"
    kept = lambda: len(list(files.rglob("*.keras")))  # noqa: E731
    watcher = Watcher(stack.ws_url)  # who is told of the end once the checkpoint is kept
    run = stack.train(**SHORT)
    assert watcher.wait_for_end(run) == "completed"
    assert kept() >= 1
    further = stack.train(from_run=run, epochs=3)
    assert [epoch["epoch"] for epoch in stack.ended(further)["epochs"]] == [1, 2, 3]
    assert watcher.wait_for_end(further) == "completed"
    eventually(lambda: kept() <= 20, PATIENCE_SECONDS, "the removal of the oldest")
    watcher.close()
