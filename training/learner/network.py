"""The network: LeNet's shape as in TensorFlow's MNIST tutorial of 2016, which the original application trained."""

from __future__ import annotations

import keras
from keras import layers

from training.learner.presets import Preset


def build(preset: Preset) -> keras.Model:
    """[N, 28, 28, 1] -> [N, 10] probabilities; 184,586 weights."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="digit"),
            layers.Conv2D(32, 5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(preset.dropout),
            layers.Dense(10, activation="softmax", name="probabilities"),
        ]
    )


def compile_for(model: keras.Model, preset: Preset, learning_rate: float) -> None:
    """Adam under the preset's decay; XLA stays off because it is four times slower on CPUs."""
    rate = keras.optimizers.schedules.ExponentialDecay(learning_rate, preset.decay_steps, preset.decay, staircase=True)
    model.compile(
        optimizer=keras.optimizers.Adam(rate), loss="categorical_crossentropy", metrics=["accuracy"], jit_compile=False
    )
