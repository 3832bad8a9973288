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
from training.learner.config import Diverged
from training.learner.epochs import Epoch
from training.learner.presets import Preset
from training.learner.runtime import usable_cores

Report = Callable[[dict[str, Any]], None]
Step = Callable[[Any, Any], tf.Tensor]
Reader = Callable[[NDArray[np.float32]], NDArray[np.float32]]
REPORT_SECONDS = 0.1
READ_DIGITS = 500
MEASURES = ("loss", "accuracy", "objective")  # of Means, that an epoch reports
HALVES = 2


def share_cores() -> None:
    """Give each half of a batch its half of the cores. To be called before TensorFlow's first operation.

    Two halves side by side wait for each other once a batch, where threads that share every operation wait in each.
    """
    cores = usable_cores()
    tf.config.threading.set_inter_op_parallelism_threads(min(HALVES, cores))
    tf.config.threading.set_intra_op_parallelism_threads(max(1, cores // HALVES))


def compiled_step(model: keras.Model, preset: Preset) -> Step:
    """Return a function that updates the weights once: pictures [N, 28, 28, 1], targets [N, 10] -> float32 [4].

    The four are the objective (what the update minimises, its mean over the batch) and the sums of `digit_sums`.
    """
    model.optimizer.build(model.trainable_variables)
    halved, single = (compiled(model, preset, parts) for parts in (HALVES, 1))
    return lambda pictures, targets: (halved if len(targets) >= HALVES else single)(pictures, targets)


def compiled(model: keras.Model, preset: Preset, parts: int) -> Step:
    """The step over `parts` of a batch side by side, none of which may be empty.

    The gradient of a batch is the sum of its parts' gradients: the same one, up to rounding.
    """
    weights = model.trainable_variables
    objective_of = network.objective(preset, reduction="sum")
    signature = [tf.TensorSpec((None, 28, 28, 1), tf.float32), tf.TensorSpec((None, 10), tf.float32)]

    @tf.function(input_signature=signature, autograph=False, jit_compile=False)  # XLA is four times slower on CPUs
    def step(pictures: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        count = tf.shape(pictures)[0]
        measures, gradients = [], []
        for part in range(parts):
            rows = slice(count * part // parts, count * (part + 1) // parts)
            with tf.GradientTape() as tape:
                answers = model(pictures[rows], training=True)
                objective = objective_of(targets[rows], answers) / tf.cast(count, tf.float32)
            gradients.append(tape.gradient(objective, weights))
            measures.append(tf.concat([[objective], digit_sums(targets[rows], answers)], axis=0))
        model.optimizer.apply([tf.add_n(same) for same in zip(*gradients, strict=True)], weights)
        return tf.add_n(measures)

    return step


def digit_sums(targets: tf.Tensor, answers: tf.Tensor) -> tf.Tensor:
    """Return float32 [3] over the digits of a batch: cross-entropy against the label, correct answers, and how many.

    Pictures of no digit, whose target is uniform, have no label: they count in the objective alone.
    """
    is_digit = tf.reduce_max(targets, axis=1) == 1
    correct = is_digit & (tf.argmax(answers, 1) == tf.argmax(targets, 1))
    losses = tf.where(is_digit, keras.losses.categorical_crossentropy(targets, answers), 0.0)
    return tf.stack(
        [tf.reduce_sum(losses), *(tf.reduce_sum(tf.cast(rows, tf.float32)) for rows in (correct, is_digit))]
    )


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
        means.add(step(pictures, targets).numpy(), len(targets))
        if not math.isfinite(means.objective):
            raise Diverged(f"The loss became {means.objective} in epoch {number}, batch {batch}.")
        now = time.monotonic()
        if now - reported >= REPORT_SECONDS or batch == steps:
            reported = now
            news = {"epoch": number, "step": batch, "steps": steps, "loss": means.loss, "accuracy": means.accuracy}
            report({"type": "batch", **news})
    return means
