"""The original application's way: float64 arrays, Keras' `fit`, ReLU before the pooling, a callback on every batch.

TF_ENABLE_ONEDNN_OPTS is as the caller left it: where it is not set, TensorFlow decides by the processor.
"""

from __future__ import annotations

import os
from argparse import Namespace
from typing import Any

import numpy as np

from benchmarks._ways import common

os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow"}
import keras
from keras import layers

from training.learner import network


def onednn_is_on() -> bool | None:
    """Whether TensorFlow computes with oneDNN; None where this version does not tell."""
    try:
        from tensorflow.python.util import _pywrap_util_port
    except ImportError:
        return None
    return bool(_pywrap_util_port.IsMklEnabled())


def build() -> keras.Model:
    """The network as the original wrote it down."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(common.ORIGINAL.dropout),
            layers.Dense(10, activation="softmax"),
        ]
    )


class Watch(keras.callbacks.Callback):
    """Takes the time of every epoch and, like the original's callback, notes the progress after every batch."""

    def __init__(self) -> None:
        super().__init__()
        self.percentage = 0.0
        self.epochs: list[dict[str, float]] = []

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.clock = common.Clock()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.percentage = 100 * (batch + 1) / self.params["steps"]

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epochs.append(self.clock.read())
        common.say(f"epoch {epoch + 1}: {self.epochs[-1]['wall']:.2f} s")


def measure(task: Namespace) -> dict[str, Any]:
    keras.utils.set_random_seed(task.seed)
    count, epochs = common.digits_and_epochs(task)
    digits, test = common.digits(common.TRAINING, count), common.digits(common.TESTING)
    model, watch = build(), Watch()
    optimizer = keras.optimizers.Adam(network.staircase(common.ORIGINAL.learning_rate))
    model.compile(optimizer=optimizer, loss="categorical_crossentropy", metrics=["accuracy"])
    images, targets = digits.images.astype(np.float64), np.eye(10)[digits.labels]
    batch_size = common.ORIGINAL.batch_size
    model.fit(images, targets, batch_size=batch_size, epochs=epochs, verbose=0, callbacks=[watch])
    right = model.predict(test.images, batch_size=500, verbose=0).argmax(axis=1) == test.labels
    return {
        "digits": count,
        "epochs": watch.epochs,
        "accuracy": float(right.mean()),
        "onednn": onednn_is_on(),
    }
