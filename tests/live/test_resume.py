"""A run that was killed and taken up again ends with the weights of an unbroken one, bit for bit."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from django.conf import settings

from tests.support.attempt import Attempt
from tests.support.small_adaptation import SMALL_ADAPTATION
from training.learner import dataset
from training.learner.config import Base
from training.learner.presets import PRESETS
from training.shipping import KERAS_FILE, MODEL_FILE


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Attempt]]:
    """Start an attempt at a run that is named; its process is killed after the test."""
    attempts: list[Attempt] = []

    def begin(run: str, preset: str, **values: Any) -> Attempt:
        attempts.append(Attempt(tmp_path / run, preset, **values))
        return attempts[-1]

    yield begin
    for one in attempts:
        one.kill()


def assert_equal(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert sum(array.size for array in one.values()) > 3 * 184_586, "every weight, and what Adam keeps of each"


def inputs_of(preset: str, folder: Path) -> dict[str, Any]:
    """Return what a run of the preset begins with: for adapt the shipped model, and 600 corrections.

    An epoch of adapt augments 20,000 drawings however few its digits are, so it gets smaller ones.
    """
    if not PRESETS[preset].adapts:
        return {}
    images, labels = dataset.as_stored(settings.MNIST_DIR, "train")
    held_out = np.arange(600) % 3 == 0
    np.savez(folder / "c.npz", images=images[:600, ::-1], labels=labels[:600], held_out=held_out, ids=np.arange(600))
    base = Base(MODEL_FILE, KERAS_FILE, 1.0, 0.5)
    return {"base": base, "corrections_file": folder / "c.npz", "learner": SMALL_ADAPTATION}


@pytest.mark.parametrize("preset", ["handwriting", "adapt"])
def test_an_augmented_run_resumed_after_its_first_epoch_ends_as_an_unbroken_one(
    preset: str, start: Callable[..., Attempt], tmp_path: Path
) -> None:
    inputs = inputs_of(preset, tmp_path)
    unbroken = start("whole", preset, **inputs).follow(last_epoch=1)
    process = psutil.Process(unbroken.process.pid)
    process.suspend()  # what is on the disk now is what there would be if it had been killed
    shutil.copytree(unbroken.config.folder, unbroken.config.folder.with_name("broken"))
    process.resume()
    if inputs:
        inputs["earlier_val_losses"] = (unbroken.epochs[0]["val_loss"],)
    resumed = start("broken", preset, number=2, finished=1, **inputs)
    assert resumed.config.resumed_after_epoch == 1
    unbroken.follow(last_epoch=3)
    resumed.follow()
    assert resumed.epochs == unbroken.epochs[1:]
    assert_equal(resumed.state(3), unbroken.state(3))
    assert all(0 <= epoch["val_accuracy"] <= 1 and epoch["val_loss"] > 0 for epoch in resumed.epochs)
    assert 0 <= resumed.reports[-1]["calibration_error"] <= 1
    results = [attempt.follow().reports[-1] for attempt in (resumed, unbroken)]
    assert results[0]["predictions"] == results[1]["predictions"]
    assert results[0]["comparison"] == results[1]["comparison"]
    assert bool(inputs) == bool(results[0]["comparison"])


def test_a_training_process_that_outlived_its_worker_does_not_disturb_the_next(start: Callable[..., Attempt]) -> None:
    """Its worker was stopped: it trained on past the last epoch that has a row, and is still at work."""
    first = start("run", "original").follow(last_epoch=2)
    process = psutil.Process(first.process.pid)
    process.suspend()  # so that it cannot end before its folder is gone
    known = first.state(2)
    second = start("run", "original", number=2, finished=1)
    process.resume()
    assert second.config.resumed_after_epoch == 1, "the checkpoint of the last row was kept"
    first.process.join(60)
    assert first.process.exitcode == 1, "it failed when it wrote into its folder, which is gone"
    second.follow()
    assert second.epochs[0] == first.epochs[1]
    assert_equal(second.state(2), known)
    assert [epoch["epoch"] for epoch in second.epochs] == [2, 3]
    assert {report["steps"] for report in second.reports if report["type"] == "batch"} == {17}, "the last of one digit"
