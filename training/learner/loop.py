"""One epoch of training steps: measure and report its batches, and stop between two of them."""

import math
import threading
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from training.learner.config import Diverged
from training.learner.epochs import Epoch
from training.learner.reports import Means, SendReport

# Updates the weights once: pictures [N, 28, 28, 1], targets [N, 10] -> float32 [4]: the batch's mean objective, which
# the update minimises, and three sums over its digits: cross-entropy, correct answers, and their number.
Step = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]]
REPORT_SECONDS = 0.1


def train_epoch(
    step: Step, epoch: Epoch, number: int, batch_size: int, send: SendReport, stop: threading.Event
) -> Means | None:
    """Train on every batch; report ten times a second and at the end. Returns None if stopped. Raises Diverged."""
    steps = -(-len(epoch) // batch_size)
    sums, pictures_done, sent_at = np.zeros(4), 0, 0.0
    for batch in range(1, steps + 1):
        if stop.is_set():
            return None
        pictures, targets = epoch.batch((batch - 1) * batch_size, batch * batch_size)
        sums += step(pictures, targets) * [len(targets), 1, 1, 1]
        pictures_done += len(targets)
        means = means_of(sums, pictures_done)
        if not math.isfinite(means["objective"]):
            raise Diverged(
                f"The loss became {means['objective']} in epoch {number}, batch {batch}. Try a lower learning rate."
            )
        now = time.monotonic()
        if now - sent_at >= REPORT_SECONDS or batch == steps:
            sent_at = now
            loss, accuracy = means["loss"], means["accuracy"]
            send({"type": "batch", "epoch": number, "step": batch, "steps": steps, "loss": loss, "accuracy": accuracy})
    return means


def means_of(sums: NDArray[np.float64], pictures: int) -> Means:
    """Return means over `pictures` pictures from a Step's sums, whose objective is summed over the pictures too."""
    objective, loss, correct, digits = sums.tolist()
    return {"loss": loss / max(digits, 1), "accuracy": correct / max(digits, 1), "objective": objective / pictures}
