"""A stop is obeyed whatever a run is doing: seen within a second, over within six, nothing finished is lost."""

import signal
import time
from contextlib import closing

import pytest

from tests.support.children import has_ended
from tests.support.numpy_learner import slow_phase
from tests.support.retries import in_time
from tests.support.stack import PATIENCE_SECONDS, Stack, eventually
from tests.support.watcher import Watcher
from training.learner.reports import PhaseName

pytestmark = pytest.mark.stack


def stop(stack: Stack, run: int) -> float:
    """Seconds from the request to stop until the run has ended."""
    began = time.monotonic()
    assert stack.http.post("/api/stop_training/", json={"run": run}).status_code == 200
    assert stack.ended(run)["status"] == "interrupted"
    return time.monotonic() - began


def stop_in(stack: Stack, phase: PhaseName) -> float:
    """Seconds that a run took to stop in this phase."""
    with closing(Watcher(stack.ws_url)) as watcher:
        with slow_phase(stack.folder, phase):
            if phase == "importing":
                stack.spare().kill()  # it has imported the learner
            long = {"samples": 60_000, "batch_size": 16}  # no epoch ends before the stop
            run = stack.train(**long if phase == "fitting" else {"samples": 256}, epochs=2)
            reached = lambda: any(m["run"] == run and m["phase"] == phase for m in watcher.of("phase"))  # noqa: E731
            eventually(reached, PATIENCE_SECONDS, f"the phase {phase}")
            child = stack.training_child()
            seconds = stop(stack, run)
        if phase == "importing":
            stack.spare().kill()  # it may have begun its import before that
        ended = stack.run(run)
        assert (ended["error_code"], ended["model"]) == ("", None)
        assert watcher.wait_for_end(run) == "interrupted"
        assert watcher.epochs.get(run, []) == [e["epoch"] for e in ended["epochs"]]
        assert len(ended["epochs"]) == (2 if phase in {"evaluating", "exporting"} else 0), "finished epochs are kept"
        assert has_ended(child)
    return seconds


@pytest.mark.parametrize("phase", ["importing", "loading", "fitting", "evaluating", "exporting"])
def test_a_stop_in_any_phase(stack: Stack, phase: PhaseName) -> None:
    """The training process itself gives way: a second for a batch to end, and half of one for the worker to look."""
    in_time(lambda: stop_in(stack, phase), 3.5)


def stop_hanging(stack: Stack) -> float:
    """Seconds that a run took to stop whose training process hangs."""
    run = stack.train(samples=60_000)
    among_batches = lambda: stack.http.get("/api/training_progress/").json().get("percentage")  # noqa: E731
    eventually(among_batches, PATIENCE_SECONDS, "the first batches")
    stack.training_child().send_signal(signal.SIGSTOP)
    return stop(stack, run)


def test_a_stop_of_a_training_process_that_hangs(stack: Stack) -> None:
    in_time(lambda: stop_hanging(stack), 6)
