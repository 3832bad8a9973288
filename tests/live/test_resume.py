"""A run that was killed and taken up again ends with the weights of an unbroken one, bit for bit."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.attempt import Attempt


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Attempt]]:
    """Start an attempt at a run that is named; its process is killed after the test."""
    attempts: list[Attempt] = []

    def begin(run: str, preset: str = "original", **values: int) -> Attempt:
        attempts.append(Attempt(tmp_path / run, preset, **values))
        return attempts[-1]

    yield begin
    for one in attempts:
        one.kill()


def assert_equal(resumed: Attempt, unbroken: Attempt) -> None:
    assert unbroken.reports[-1]["type"] == "result", unbroken.reports[-1]
    assert resumed.reports[-1]["type"] == "result", resumed.reports[-1]
    assert resumed.weights.keys() == unbroken.weights.keys()
    assert all(np.array_equal(resumed.weights[shape], unbroken.weights[shape]) for shape in resumed.weights)
    assert sum(array.size for array in resumed.weights.values()) == 184_586, "every weight of the network"


@pytest.mark.parametrize("preset", ["original", "handwriting"])
def test_a_run_killed_after_its_first_epoch_ends_as_an_unbroken_one(start: Callable[..., Attempt], preset: str) -> None:
    unbroken = start("whole", preset).follow()
    first = start("broken", preset).follow(last_epoch=1)
    first.kill()
    second = start("broken", preset, number=2, finished=1)
    assert second.config.resumed_after_epoch == 1
    second.follow()
    assert first.epochs + second.epochs == unbroken.epochs
    assert_equal(second, unbroken)


def test_a_training_process_that_outlived_its_worker_does_not_disturb_the_next(start: Callable[..., Attempt]) -> None:
    """Its worker was stopped: it trained on past the last epoch that has a row, and is still at work."""
    unbroken = start("whole").follow()
    first = start("broken").follow(last_epoch=2)
    second = start("broken", number=2, finished=1)
    assert second.config.resumed_after_epoch == 1, "the checkpoint of the last row was kept"
    second.follow()
    assert second.epochs == unbroken.epochs[1:]
    assert_equal(second, unbroken)
    first.process.join(60)
    assert first.process.exitcode == 1, "it failed when it wrote into its folder, which is gone"
