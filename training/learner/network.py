"""The network of TensorFlow's MNIST tutorial of 2016, and its compiled functions."""

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from training.learner import fourier, optimizers
from training.learner.config import count_cores
from training.learner.loop import Step
from training.learner.measures import Predict
from training.learner.presets import Preset

PREDICT_DIGITS = 500  # in one call
HALVES = 2
DIGITS = 10
PART_DIGITS = 64  # of a batch, about
SECOND_CONVOLUTION = 3  # its place among the layers
DIGIT_TARGET = 0.5  # the largest target of a digit is above it


def build(preset: Preset) -> keras.Model:
    """Return the network: [N, 28, 28, 1] -> probabilities [N, 10]; 184,586 weights.

    ReLU follows the pooling: both keep the order of values, so the function is the same, on a quarter of the values.
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
    """Compile with the preset's optimizer for `steps` batches, so that checkpoints hold the optimizer."""
    optimizer = optimizers.for_preset(preset, learning_rate, steps)
    model.compile(optimizer=optimizer, loss=objective(preset), jit_compile=False)


def objective(preset: Preset) -> keras.losses.Loss:
    """Return the objective: cross-entropy with the preset's label smoothing."""
    return keras.losses.CategoricalCrossentropy(label_smoothing=preset.label_smoothing)


def seed_dropout(model: keras.Model, seed: int, epoch: int) -> None:
    """Make an epoch's dropout depend on seed and epoch alone: checkpoints do not hold the generator's state."""
    for layer in model.layers:
        if isinstance(layer, layers.Dropout) and layer.rate:
            layer.seed_generator.state.assign([seed, epoch * 2**20])


def share_cores() -> None:
    """Give each half of a batch half of the cores. Call it before TensorFlow's first operation.

    Two halves in parallel wait for each other once a batch; threads that share every operation wait in each.
    """
    cores = count_cores()
    tf.config.threading.set_inter_op_parallelism_threads(min(HALVES, cores))
    tf.config.threading.set_intra_op_parallelism_threads(max(1, cores // HALVES))


def compile_step(model: keras.Model, preset: Preset) -> Step:
    """Return the function that updates the weights by one batch."""
    model.optimizer.build(model.trainable_variables)

    @cache
    def compiled(parts: int) -> Callable[[Any, Any], tf.Tensor]:
        return compile_parts(model, preset, parts)

    return lambda pictures, targets: compiled(parts_of(len(targets)))(pictures, targets).numpy()


def parts_of(digits: int) -> int:
    """Return into how many parts a batch is divided, none of them empty: about 64 digits fit into a core's cache."""
    return min(digits, HALVES * max(1, round(digits / (HALVES * PART_DIGITS))))


def compile_parts(model: keras.Model, preset: Preset, parts: int) -> Callable[[Any, Any], tf.Tensor]:
    """Compile the step over `parts` of a batch in parallel."""
    objective_of, weights = objective(preset), model.trainable_variables
    kernel = model.layers[SECOND_CONVOLUTION].kernel
    signature = [tf.TensorSpec((None, 28, 28, 1), tf.float32), tf.TensorSpec((None, 10), tf.float32)]

    @tf.function(input_signature=signature, autograph=False, jit_compile=False)  # XLA is four times slower on CPUs
    def step(pictures: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        count = tf.shape(pictures)[0]
        bounds = [count * part // parts for part in range(parts + 1)]
        with tf.GradientTape() as tape:
            spectrum = fourier.kernel_spectrum(kernel)
            answers = tf.concat([train_pass(model, pictures[a:b], spectrum) for a, b in pairwise(bounds)], axis=0)
            loss = objective_of(targets, answers)
        model.optimizer.apply(tape.gradient(loss, weights), weights)
        return tf.concat([[loss], digit_sums(targets, answers)], axis=0)

    return step


def train_pass(model: keras.Model, pictures: tf.Tensor, spectrum: tf.Tensor) -> tf.Tensor:
    """Return what `model(pictures, training=True)` does up to rounding; `spectrum` is of the second kernel.

    From the second convolution to the hidden layer, digits come last: [row, column, channel, digit].
    """
    *first, second, _, relu, _, hidden, dropout, output = model.layers
    for layer in first:
        pictures = layer(pictures)
    count = tf.shape(pictures)[0]
    values = fourier.convolve(tf.transpose(pictures, [1, 2, 3, 0]), spectrum)
    channels = second.filters * count
    pooled = tf.nn.max_pool2d(tf.reshape(values, [1, *values.shape[:2], channels]), 2, 2, "VALID")
    features = relu(tf.reshape(pooled, [-1, second.filters, count]) + second.bias[:, tf.newaxis])
    features = tf.reshape(features, [-1, count])
    weighted = tf.matmul(features, hidden.kernel, transpose_a=True) + hidden.bias
    return output(dropout(hidden.activation(weighted), training=True))


def digit_sums(targets: tf.Tensor, answers: tf.Tensor) -> tf.Tensor:
    """Return float32 [3] over the digits of a batch: cross-entropy, correct answers, and their number.

    Pictures of no digit have a uniform target, or a teacher's doubt; they count in the objective alone.
    """
    is_digit = tf.reduce_max(targets, axis=1) > DIGIT_TARGET
    correct = is_digit & (tf.argmax(answers, 1) == tf.argmax(targets, 1))
    losses = tf.where(is_digit, keras.losses.categorical_crossentropy(targets, answers), 0.0)
    return tf.stack(
        [tf.reduce_sum(losses), *(tf.reduce_sum(tf.cast(rows, tf.float32)) for rows in (correct, is_digit))]
    )


def compile_predict(model: keras.Model) -> Predict:
    """Return the function pictures float32 [N, 28, 28, 1] -> probabilities float32 [N, 10], by the current weights."""

    @tf.function(
        input_signature=[tf.TensorSpec((None, 28, 28, 1), tf.float32)] * HALVES, autograph=False, jit_compile=False
    )
    def predict_halves(*halves: tf.Tensor) -> tf.Tensor:
        return tf.concat([model(half, training=False) for half in halves], axis=0)

    def predict(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        answers = [np.empty((0, DIGITS), np.float32)]
        for first in range(0, len(pictures), PREDICT_DIGITS):
            part = pictures[first : first + PREDICT_DIGITS]
            middle = len(part) // HALVES  # a single picture is in both halves: a convolution refuses an empty one
            answers.append(predict_halves(part[: max(1, middle)], part[middle:]).numpy()[-len(part) :])
        return np.concatenate(answers)

    return predict
