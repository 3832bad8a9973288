"""The network: LeNet's shape as in TensorFlow's MNIST tutorial of 2016, which the original application trained."""

from __future__ import annotations

import keras
from keras import layers

from training.learner.presets import DECAY, DECAY_BATCHES, Preset


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
