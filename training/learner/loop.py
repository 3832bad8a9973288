"""An epoch of training steps: their measures, the reports of batches, and a stop between two of them."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.learner.config import Diverged
from training.learner.epochs import Epoch

Report = Callable[[dict[str, Any]], None]
# Updates the weights once: pictures [N, 28, 28, 1], targets [N, 10] -> float32 [4], the objective (what the update
# minimises, its mean over the batch) and three sums over the digits: cross-entropy, correct answers, and how many.
Step = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]]
REPORT_SECONDS = 0.1
MEASURES = ("loss", "accuracy", "objective")  # of Means, that an epoch reports


@dataclass
class Means:
    """The measures of an epoch's batches so far, each batch by the weights it met.

    `objective` is what training minimises, over all pictures: with label smoothing and with the pictures of no digit,
    where the preset has them. `loss` is the cross-entropy against the label and `accuracy` the share of correct
    answers, both over the digits alone, so that they can be compared between presets and with validation.
    """

    objective_sum: float = 0.0
    pictures: int = 0
    loss_sum: float = 0.0
    correct: float = 0.0
    digits: float = 0.0

    def add(self, measures: NDArray[np.float32], pictures: int) -> None:
        """Add the measures of one batch of so many pictures, as a Step returns them."""
        objective, loss, correct, digits = measures.tolist()
        self.objective_sum += objective * pictures
        self.pictures += pictures
        self.loss_sum += loss
        self.correct += correct
        self.digits += digits

    @property
    def objective(self) -> float:
        return self.objective_sum / max(self.pictures, 1)

    @property
    def loss(self) -> float:
        return self.loss_sum / max(self.digits, 1)

    @property
    def accuracy(self) -> float:
        return self.correct / max(self.digits, 1)


def train_epoch(
    step: Step, epoch: Epoch, number: int, batch_size: int, report: Report, stop: threading.Event
) -> Means | None:
    """Train on every batch and report at most ten times a second, and the last batch; None when stopped before it.

    Raises Diverged.
    """
    steps = -(-len(epoch) // batch_size)
    means, reported = Means(), 0.0
    for batch in range(1, steps + 1):
        if stop.is_set():
            return None
        pictures, targets = epoch.batch((batch - 1) * batch_size, batch * batch_size)
        means.add(step(pictures, targets), len(targets))
        if not math.isfinite(means.objective):
            raise Diverged(f"The loss became {means.objective} in epoch {number}, batch {batch}.")
        now = time.monotonic()
        if now - reported >= REPORT_SECONDS or batch == steps:
            reported = now
            news = {"epoch": number, "step": batch, "steps": steps, "loss": means.loss, "accuracy": means.accuracy}
            report({"type": "batch", **news})
    return means
