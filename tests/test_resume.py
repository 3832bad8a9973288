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


def weights(folder: Path) -> dict[str, np.ndarray]:
    model = onnx.load(folder / "model.onnx")
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


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
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
    assert sum(value.size for value in ours.values()) > 180_000
