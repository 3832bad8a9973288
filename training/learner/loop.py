"""What TensorFlow compiles, a step of training and reading, and an epoch of steps with its news and its stop."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.learner import network
from training.learner.batches import Epoch
from training.learner.child import usable_cores
from training.learner.config import Diverged
from training.learner.presets import Preset

Report = Callable[[dict[str, Any]], None]
Step = Callable[[Any, Any], tuple[tf.Tensor, tf.Tensor]]
Reader = Callable[[NDArray[np.float32]], NDArray[np.float32]]
REPORT_SECONDS = 0.1
READ_DIGITS = 500
HALVES = 2


def share_cores() -> None:
    """Give each half of a batch its half of the cores. To be called before TensorFlow's first operation.

    Two halves side by side wait for each other once a batch, where threads that share every operation wait in each.
    """
    cores = usable_cores()
    tf.config.threading.set_inter_op_parallelism_threads(min(HALVES, cores))
    tf.config.threading.set_intra_op_parallelism_threads(max(1, cores // HALVES))


def compiled_step(model: keras.Model, preset: Preset) -> Step:
    """One change of the weights: pictures [N, 28, 28, 1], targets [N, 10] -> mean loss, digits read rightly."""
    model.optimizer.build(model.trainable_variables)
    halved, single = (compiled(model, preset, parts) for parts in (HALVES, 1))
    return lambda pictures, targets: (halved if len(targets) >= HALVES else single)(pictures, targets)


def compiled(model: keras.Model, preset: Preset, parts: int) -> Step:
    """The step over `parts` of a batch side by side, none of which may be empty.

    The gradient of a batch is the sum of its parts' gradients: the same one, up to rounding.
    """
    weights = model.trainable_variables
    loss_of = network.loss(preset, reduction="sum")
    signature = [tf.TensorSpec((None, 28, 28, 1), tf.float32), tf.TensorSpec((None, 10), tf.float32)]

    @tf.function(input_signature=signature, autograph=False, jit_compile=False)  # XLA is four times slower on CPUs
    def step(pictures: tf.Tensor, targets: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        count = tf.shape(pictures)[0]
        losses, gradients, hits = [], [], []
        for part in range(parts):
            rows = slice(count * part // parts, count * (part + 1) // parts)
            with tf.GradientTape() as tape:
                answers = model(pictures[rows], training=True)
                loss = loss_of(targets[rows], answers) / tf.cast(count, tf.float32)
            losses.append(loss)
            gradients.append(tape.gradient(loss, weights))
            hits.append(tf.math.count_nonzero(tf.argmax(answers, 1) == tf.argmax(targets[rows], 1)))
        model.optimizer.apply([tf.add_n(same) for same in zip(*gradients, strict=True)], weights)
        return tf.add_n(losses), tf.add_n(hits)

    return step


def reader(model: keras.Model) -> Reader:
    """pictures float32 [N, 28, 28, 1] -> probabilities float32 [N, 10], by the weights of the moment it is called."""

    @tf.function(
        input_signature=[tf.TensorSpec((None, 28, 28, 1), tf.float32)] * HALVES, autograph=False, jit_compile=False
    )
    def read(*halves: tf.Tensor) -> tf.Tensor:
        return tf.concat([model(half, training=False) for half in halves], axis=0)

    def read_all(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        some = [pictures[first : first + READ_DIGITS] for first in range(0, len(pictures), READ_DIGITS)]
        return np.concatenate([read(part[: len(part) // HALVES], part[len(part) // HALVES :]).numpy() for part in some])

    return read_all


@dataclass
class Means:
    """Loss and accuracy of an epoch's batches so far, each batch by the weights it met."""

    loss: float = 0.0
    accuracy: float = 0.0
    digits: int = 0

    def add(self, loss: float, hits: int, digits: int) -> None:
        self.digits += digits
        self.loss += (loss - self.loss) * digits / self.digits
        self.accuracy += (hits / digits - self.accuracy) * digits / self.digits


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
        loss, hits = step(pictures, targets)
        means.add(float(loss), int(hits), len(targets))
        if not math.isfinite(means.loss):
            raise Diverged(f"The loss became {means.loss} in epoch {number}, batch {batch}.")
        now = time.monotonic()
        if now - reported >= REPORT_SECONDS or batch == steps:
            reported = now
            news = {"epoch": number, "step": batch, "steps": steps, "loss": means.loss, "accuracy": means.accuracy}
            report({"type": "batch", **news})
    return means
