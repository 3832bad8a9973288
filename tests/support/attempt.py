"""One attempt at a run, without a worker: the training process and its reports."""

from __future__ import annotations

import io
import multiprocessing
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import h5py
import numpy as np
from django.conf import settings

from training.learner.checkpoints import prepare_attempt
from training.learner.child import main
from training.learner.config import Config

CONTEXT = multiprocessing.get_context("spawn")


class Attempt:
    """One training process on a run's folder, and what it has reported. Its last batch is of a single digit."""

    def __init__(self, folder: Path, preset: str, number: int = 1, finished: int = 0, **inputs: Any) -> None:
        config = Config(preset, 3, 64, 0.001, 1025, 11, folder, settings.MNIST_DIR, number, **inputs)
        self.config = prepare_attempt(config, finished)
        self.pipe, child_end = CONTEXT.Pipe()
        self.process = CONTEXT.Process(target=main, args=(child_end, self.config.learner, self.config))
        self.process.start()
        child_end.close()
        self.reports: list[dict[str, Any]] = []

    def follow(self, last_epoch: int | None = None) -> Attempt:
        """Collect reports up to an epoch's, or to the end, which is a result."""
        while not self.reports or self.reports[-1]["type"] != "result":
            self.reports.append(self.pipe.recv())
            assert self.reports[-1]["type"] not in {"failure", "lost"}, self.reports[-1]
            if self.reports[-1]["type"] == "epoch" and self.reports[-1]["epoch"] == last_epoch:
                break
        return self

    def kill(self) -> None:
        self.process.kill()
        self.process.join()

    @property
    def epochs(self) -> list[dict[str, Any]]:
        return [{k: v for k, v in r.items() if k != "seconds"} for r in self.reports if r["type"] == "epoch"]

    def state(self, epoch: int) -> dict[str, np.ndarray]:
        """The weights and the optimizer's variables in a checkpoint of Keras, by name."""
        found: dict[str, np.ndarray] = {}
        with ZipFile(self.config.checkpoint(epoch)) as checkpoint:
            content = io.BytesIO(checkpoint.read("model.weights.h5"))
        with h5py.File(content) as file:
            file.visititems(lambda name, item: found.update({name: item[()]} if isinstance(item, h5py.Dataset) else {}))
        return found
