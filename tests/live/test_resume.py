"""A run that was killed and taken up again ends with the weights of an unbroken one, bit for bit."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from django.conf import settings
from onnx import numpy_helper

from training.learner.checkpoints import prepare_attempt
from training.learner.child import main
from training.learner.config import Config

CONTEXT = multiprocessing.get_context("spawn")


class Attempt:
    """One training process on a run's folder, and what it has reported."""

    def __init__(self, folder: Path, preset: str, number: int = 1, finished: int = 0) -> None:
        config = Config(preset, 3, 64, 0.001, 1024, 11, folder, settings.MNIST_DIR, attempt=number)
        self.config = prepare_attempt(config, finished)
        self.pipe, child_end = CONTEXT.Pipe()
        self.process = CONTEXT.Process(target=main, args=(child_end, self.config))
        self.process.start()
        child_end.close()
        self.reports: list[dict[str, Any]] = []

    def follow(self, last_epoch: int | None = None) -> Attempt:
        """Collect reports up to an epoch's, or to the end."""
        while not self.reports or self.reports[-1]["type"] not in ("result", "failure"):
            self.reports.append(self.pipe.recv())
            if self.reports[-1]["type"] == "epoch" and self.reports[-1]["epoch"] == last_epoch:
                break
        return self

    def kill(self) -> None:
        self.process.kill()
        self.process.join()

    @property
    def epochs(self) -> list[dict[str, Any]]:
        return [{k: v for k, v in r.items() if k != "seconds"} for r in self.reports if r["type"] == "epoch"]

    @property
    def weights(self) -> dict[tuple[int, ...], np.ndarray]:
        """By shape, which no two of the network's share; names of constants differ from one export to the next."""
        initializers = onnx.load(self.config.model_file).graph.initializer
        arrays = [numpy_helper.to_array(tensor) for tensor in initializers]
        return {array.shape: array for array in arrays if array.dtype == np.float32 and array.size >= 10}


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
