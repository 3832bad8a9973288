"""A run that was killed and taken up again ends with the weights of an unbroken one, bit for bit."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from django.conf import settings
from onnx import numpy_helper

from training.learner.child import main
from training.learner.config import Config


def attempt(folder: Path, preset: str, finished: int = 0, kill_after: int | None = None) -> list[dict[str, Any]]:
    """One training process on the run's folder: what it reported, up to the epoch after which it was killed."""
    folder.mkdir(exist_ok=True)
    config = Config(preset, 3, 64, 0.001, 1024, 11, folder, settings.MNIST_DIR, finished_epochs=finished)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=main, args=(theirs, config))
    process.start()
    theirs.close()
    reports = []
    try:
        while not reports or reports[-1]["type"] not in ("result", "failure"):
            reports.append(ours.recv())
            if reports[-1]["type"] == "epoch" and reports[-1]["epoch"] == kill_after:
                break
    finally:
        process.kill()
        process.join()
    return reports


def weights(folder: Path) -> dict[tuple[int, ...], np.ndarray]:
    """By shape, which no two of the network's share; names of constants differ from one export to the next."""
    arrays = [numpy_helper.to_array(tensor) for tensor in onnx.load(folder / "model.onnx").graph.initializer]
    return {array.shape: array for array in arrays if array.dtype == np.float32 and array.size >= 10}


def epochs(reports: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in r.items() if k != "seconds"} for r in reports if r["type"] == "epoch"]


@pytest.mark.parametrize("preset", ["original", "handwriting"])
def test_a_run_killed_after_its_first_epoch_ends_as_an_unbroken_one(tmp_path: Path, preset: str) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    unbroken = attempt(whole, preset)
    assert unbroken[-1]["type"] == "result", unbroken[-1]
    first = attempt(broken, preset, kill_after=1)
    second = attempt(broken, preset, finished=1)
    assert epochs(first) + epochs(second) == epochs(unbroken)
    ours, theirs = weights(broken), weights(whole)
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[shape], theirs[shape]) for shape in ours)
    assert sum(array.size for array in ours.values()) == 184_586, "every weight of the network"
