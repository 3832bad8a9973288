"""The spare training process: a run gets it, and whatever happens to it costs a run nothing but the time to start."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

from tests.support.children import has_ended, spawned
from tests.support.retries import in_time
from tests.support.stack import NUMPY_LEARNER, PATIENCE_SECONDS, Stack, eventually
from training.worker.spare import Spare

SMALL = {"samples": 64, "epochs": 1}


@pytest.mark.stack
def test_a_run_gets_the_spare_and_another_one_waits_for_the_next_run(stack: Stack) -> None:
    first = stack.spare()
    stack.train(samples=60_000)
    among_batches = lambda: stack.http.get("/api/training_progress/").json().get("percentage")  # noqa: E731
    eventually(among_batches, PATIENCE_SECONDS, "the first batches")
    assert stack.spawned("worker") == [first] == [stack.training_child()], "no spare beside a run"
    assert first.nice() == os.nice(0) + 5
    stack.idle()
    assert has_ended(first), "it gives its memory back"
    second = stack.spare()
    assert second != first
    assert stack.ended(stack.train(**SMALL))["status"] == "completed"
    assert has_ended(second)
    stack.spare()


@pytest.mark.stack
@pytest.mark.parametrize("fault", ["killed", "stopped", "killed when it gets the run"])
def test_a_lost_spare_costs_no_attempt(stack: Stack, fault: str) -> None:
    spare = stack.spare()
    spare.send_signal(signal.SIGKILL if fault == "killed" else signal.SIGSTOP)
    asked = time.monotonic()
    run = stack.train(**SMALL)
    if fault == "killed when it gets the run":
        eventually(lambda: stack.run(run)["attempt"], PATIENCE_SECONDS, "the claim")
        with suppress(psutil.NoSuchProcess):  # the worker may have been faster
            spare.kill()
    ended = stack.ended(run)
    assert (ended["status"], ended["attempt"]) == ("completed", 1)
    assert time.monotonic() - asked < 60, "a silent process is heard for 300 s"
    assert "does not answer" in stack.log("worker")
    assert has_ended(spare)


def end_with_worker(stack: Stack, how: signal.Signals) -> float:
    """Seconds until a worker and its spare had ended."""
    stack.mend()
    spare = stack.spare()
    asked = time.monotonic()
    stack.kill("worker", how)
    spare.wait(PATIENCE_SECONDS)
    return time.monotonic() - asked


@pytest.mark.stack
@pytest.mark.parametrize(("how", "seconds"), [(signal.SIGTERM, 8), (signal.SIGKILL, 5)])
def test_a_spare_ends_with_its_worker(stack: Stack, how: signal.Signals, seconds: int) -> None:
    in_time(lambda: end_with_worker(stack, how), seconds)


@pytest.fixture
def spare(settings) -> Iterator[Spare]:
    settings.LEARNER = NUMPY_LEARNER
    spare = Spare()
    yield spare
    spare.end()


@pytest.mark.parametrize(("seconds", "count"), [(0, 0), (3, 1)])
def test_a_spare_is_given_back_after_a_while_or_not_wanted_at_all(
    settings, spare: Spare, seconds: int, count: int
) -> None:
    settings.TRAINING_SPARE_SECONDS = seconds
    before = spawned(psutil.Process())
    spare.start()
    spare.start()
    started = [child for child in spawned(psutil.Process()) if child not in before]
    assert len(started) == count
    eventually(lambda: all(map(has_ended, started)), 30)
