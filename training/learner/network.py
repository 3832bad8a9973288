"""The network: LeNet's shape as in TensorFlow's MNIST tutorial of 2016, its optimizer, and what TensorFlow compiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from training.learner.loop import Step
from training.learner.presets import DECAY, DECAY_BATCHES, Preset
from training.learner.result import Reader
from training.learner.runtime import usable_cores

READ_DIGITS = 500
HALVES = 2


def build(preset: Preset) -> keras.Model:
    """[N, 28, 28, 1] -> [N, 10] probabilities; 184,586 weights.

    ReLU comes after the pooling: the same function, since neither changes the order of values, on a quarter of them.
    """
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="digit"),
            layers.Conv2D(32, 5),
            layers.MaxPooling2D(2),
            layers.ReLU(),
            layers.Conv2D(64, 5),
            layers.MaxPooling2D(2),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(preset.dropout),
            layers.Dense(10, activation="softmax", name="probabilities"),
        ]
    )


def compile_for(model: keras.Model, preset: Preset, learning_rate: float, steps: int) -> None:
    """Adam under the preset's schedule over `steps` batches. Compiled, so that a Keras file holds the optimizer too."""
    optimizer = keras.optimizers.Adam(
        rise_and_fall(learning_rate, steps, preset.rise) if preset.cosine else staircase(learning_rate),
        beta_2=preset.beta_2,
        use_ema=bool(preset.averaging),
        ema_momentum=1 - 1 / max(preset.averaging * steps, 2),
    )
    model.compile(optimizer=optimizer, loss=objective(preset), jit_compile=False)


def objective(preset: Preset, reduction: str = "sum_over_batch_size") -> keras.losses.Loss:
    """Return what training minimises: cross-entropy against labels that the preset may smooth."""
    return keras.losses.CategoricalCrossentropy(label_smoothing=preset.label_smoothing, reduction=reduction)


def seed_dropout(model: keras.Model, seed: int, epoch: int) -> None:
    """What an epoch drops depends on the run's seed and its number alone; a Keras file does not hold the position."""
    for layer in model.layers:
        if isinstance(layer, layers.Dropout):
            layer.seed_generator.state.assign([seed, epoch * 2**20])


def staircase(rate: float) -> keras.optimizers.schedules.LearningRateSchedule:
    """The original's: 0.93 times as much every 400 batches."""
    return keras.optimizers.schedules.ExponentialDecay(rate, DECAY_BATCHES, DECAY, staircase=True)


def rise_and_fall(rate: float, steps: int, rise: float) -> keras.optimizers.schedules.LearningRateSchedule:
    """Up to `rate` within a share `rise` of the steps, then down to a hundredth of it, along a cosine.

    One cycle: Smith, Topin: Super-Convergence: Very Fast Training Using Large Learning Rates, 2017.
    """
    warm = max(1, round(steps * rise))
    return keras.optimizers.schedules.CosineDecay(
        rate / 20, max(1, steps - warm), alpha=0.01, warmup_target=rate, warmup_steps=warm
    )


def share_cores() -> None:
    """Give each half of a batch its half of the cores. To be called before TensorFlow's first operation.

    Two halves side by side wait for each other once a batch, where threads that share every operation wait in each.
    """
    cores = usable_cores()
    tf.config.threading.set_inter_op_parallelism_threads(min(HALVES, cores))
    tf.config.threading.set_intra_op_parallelism_threads(max(1, cores // HALVES))


def compiled_step(model: keras.Model, preset: Preset) -> Step:
    """Return the function that updates the weights once, by a batch."""
    model.optimizer.build(model.trainable_variables)
    halved, single = (compiled(model, preset, parts) for parts in (HALVES, 1))
    return lambda pictures, targets: (halved if len(targets) >= HALVES else single)(pictures, targets).numpy()


def compiled(model: keras.Model, preset: Preset, parts: int) -> Callable[[Any, Any], tf.Tensor]:
    """The step over `parts` of a batch side by side, none of which may be empty.

    The gradient of a batch is the sum of its parts' gradients: the same one, up to rounding.
    """
    weights = model.trainable_variables
    objective_of = objective(preset, reduction="sum")
    signature = [tf.TensorSpec((None, 28, 28, 1), tf.float32), tf.TensorSpec((None, 10), tf.float32)]

    @tf.function(input_signature=signature, autograph=False, jit_compile=False)  # XLA is four times slower on CPUs
    def step(pictures: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        count = tf.shape(pictures)[0]
        measures, gradients = [], []
        for part in range(parts):
            rows = slice(count * part // parts, count * (part + 1) // parts)
            with tf.GradientTape() as tape:
                answers = model(pictures[rows], training=True)
                loss = objective_of(targets[rows], answers) / tf.cast(count, tf.float32)
            gradients.append(tape.gradient(loss, weights))
            measures.append(tf.concat([[loss], digit_sums(targets[rows], answers)], axis=0))
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
