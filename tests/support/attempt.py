"""One attempt at a run, without a worker: the training process and its reports."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from django.conf import settings
from onnx import numpy_helper

from training.learner.checkpoints import prepare_attempt
from training.learner.child import main
from training.learner.config import KERAS_LEARNER, Config

CONTEXT = multiprocessing.get_context("spawn")


class Attempt:
    """One training process on a run's folder, and what it has reported."""

    def __init__(
        self, folder: Path, preset: str, number: int = 1, finished: int = 0, learner: str = KERAS_LEARNER
    ) -> None:
        config = Config(preset, 3, 64, 0.001, 1024, 11, folder, settings.MNIST_DIR, number, learner=learner)
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
