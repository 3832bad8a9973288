"""One epoch of training steps: measure and report its batches, and stop between two of them."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.learner.config import Diverged
from training.learner.epochs import Epoch
from training.learner.reports import SendReport

# Updates the weights once: pictures [N, 28, 28, 1], targets [N, 10] -> float32 [4]: the batch's mean objective, which
# the update minimises, and three sums over its digits: cross-entropy, correct answers, and their number.
Step = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]]
REPORT_SECONDS = 0.1


@dataclass
class Means:
    """Means over an epoch's batches so far, each measured before its update of the weights.

    `objective` is what training minimises: over all pictures, with the preset's label smoothing. `loss` is the
    cross-entropy and `accuracy` the share of correct answers over the digits alone, to compare presets and validation.
    """

    objective_sum: float = 0.0
    pictures: int = 0
    loss_sum: float = 0.0
    correct: float = 0.0
    digits: float = 0.0

    def add(self, measures: NDArray[np.float32], pictures: int) -> None:
        """Add a Step's measures of one batch of `pictures` pictures."""
        objective, loss, correct, digits = measures.tolist()
        self.objective_sum += objective * pictures
        self.pictures += pictures
        self.loss_sum += loss
        self.correct += correct
        self.digits += digits

    def values(self) -> dict[str, float]:
        """Return the means by the names of an epoch's report."""
        return {"loss": self.loss, "accuracy": self.accuracy, "objective": self.objective}

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
    step: Step, epoch: Epoch, number: int, batch_size: int, send: SendReport, stop: threading.Event
) -> Means | None:
    """Train on every batch; report ten times a second and at the end. Returns None if stopped. Raises Diverged."""
    steps = -(-len(epoch) // batch_size)
    means, sent_at = Means(), 0.0
    for batch in range(1, steps + 1):
        if stop.is_set():
            return None
        pictures, targets = epoch.batch((batch - 1) * batch_size, batch * batch_size)
        means.add(step(pictures, targets), len(targets))
        if not math.isfinite(means.objective):
            raise Diverged(
                f"The loss became {means.objective} in epoch {number}, batch {batch}. Try a lower learning rate."
            )
        now = time.monotonic()
        if now - sent_at >= REPORT_SECONDS or batch == steps:
            sent_at = now
            send(
                {
                    "type": "batch",
                    "epoch": number,
                    "step": batch,
                    "steps": steps,
                    "loss": means.loss,
                    "accuracy": means.accuracy,
                }
            )
    return means
