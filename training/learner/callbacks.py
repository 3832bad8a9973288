"""What Keras' fit tells while it runs."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import keras

from training.learner.config import Diverged

Report = Callable[[dict[str, Any]], None]
REPORT_SECONDS = 0.1


class Reporter(keras.callbacks.Callback):
    """Reports batches at most ten times a second, stops at the next batch when asked, ends a run that diverged."""

    def __init__(self, report: Report, stop: threading.Event, epoch: int) -> None:
        super().__init__()
        self._report, self._stop, self._epoch = report, stop, epoch
        self._last = 0.0
        self.weights: list[Any] = []  # as the epoch left them, before fit() puts averaged ones in their place
        self.whole = False  # every batch of the epoch was trained on, though a stop may have come with the last one

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        if self._stop.is_set():
            self.model.stop_training = True
        steps, now = self.params["steps"], time.monotonic()
        self.whole = batch + 1 >= steps
        if now - self._last < REPORT_SECONDS and batch + 1 < steps:
            return
        self._last = now
        loss, accuracy = float((logs or {})["loss"]), float((logs or {})["accuracy"])
        if not math.isfinite(loss):
            raise Diverged(f"The loss became {loss} in epoch {self._epoch}, batch {batch + 1}.")
        news = {"epoch": self._epoch, "step": batch + 1, "steps": steps, "loss": loss, "accuracy": accuracy}
        self._report({"type": "batch", **news})

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self.weights = self.model.get_weights()
