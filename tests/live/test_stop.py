"""A stop is obeyed whatever a run is doing: seen within a second, over within six, nothing finished is lost."""

import signal
import time
from collections.abc import Iterator

import psutil
import pytest

from tests.support.stack import PATIENCE_SECONDS, Stack, eventually, running
from tests.support.watcher import Watcher

pytestmark = pytest.mark.stack
SEEN_SECONDS, OVER_SECONDS = 1.0, 6.0
PHASES = ("importing", "loading", "fitting", "evaluating", "exporting")


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Its training processes stay in every phase for longer than a stop may take."""
    with running(tmp_path_factory.mktemp("slow"), NUMPY_LEARNER_PHASE_SECONDS="2.2") as stack:
        yield stack


def reached(watcher: Watcher, run: int, phase: str) -> None:
    told = lambda: any(m["run"] == run and m.get("phase") == phase for m in watcher.of("phase"))  # noqa: E731
    eventually(told, PATIENCE_SECONDS, f"the phase {phase}")


def stop(stack: Stack, run: int) -> float:
    """Seconds from the request to stop until the run has ended."""
    began = time.monotonic()
    assert stack.http.post("/api/stop_training/", json={"run": run}).status_code == 200
    stack.ended(run, 20)
    return time.monotonic() - began


@pytest.mark.parametrize("phase", PHASES)
def test_a_stop_in_any_phase(slow: Stack, phase: str) -> None:
    """The training process itself gives way: a second for a batch to end, and half of one for the worker to look."""
    watcher = Watcher(slow.ws_url)
    run = slow.train(samples=60_000 if phase == "fitting" else 256, epochs=2)
    reached(watcher, run, phase)
    child = slow.training_child()
    seconds = stop(slow, run)
    ended = slow.run(run)
    assert (ended["status"], ended["error_code"], ended["model"]) == ("interrupted", "", None)
    assert seconds < 3.5, f"{seconds:.1f} s"
    assert watcher.wait_for_end(run) == "interrupted"
    assert watcher.epochs.get(run, []) == [e["epoch"] for e in ended["epochs"]]
    assert len(ended["epochs"]) == (2 if phase in {"evaluating", "exporting"} else 0), "finished epochs are kept"
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    watcher.close()


def hang(stack: Stack) -> int:
    """A run whose training process was put to sleep among its first batches."""
    run = stack.train(samples=60_000, epochs=3)
    eventually(
        lambda: stack.http.get("/api/training_progress/").json().get("percentage"),
        PATIENCE_SECONDS,
        "the first batches",
    )
    stack.training_child().send_signal(signal.SIGSTOP)
    return run


def test_a_stop_of_a_training_process_that_hangs(stack: Stack) -> None:
    run = hang(stack)
    assert stop(stack, run) < OVER_SECONDS
    assert stack.run(run)["status"] == "interrupted"


@pytest.mark.postgres
def test_a_stop_while_queued_is_at_once(stack: Stack) -> None:
    stack.kill("worker")
    run = stack.train(samples=64, epochs=1)
    assert stop(stack, run) < SEEN_SECONDS
    assert stack.run(run)["status"] == "interrupted"


def test_a_last_batch_of_a_single_digit_is_trained_on(stack: Stack) -> None:
    ended = stack.ended(stack.train(samples=17, epochs=2, batch_size=16))
    assert (ended["status"], len(ended["epochs"])) == ("completed", 2), ended
