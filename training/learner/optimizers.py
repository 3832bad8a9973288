"""The optimizers and their learning rates."""

from typing import Any

import keras
import tensorflow as tf

from training.learner.presets import DECAY, DECAY_BATCHES, Preset

MOMENTUM = 0.95
ITERATIONS = 5  # of Newton and Schulz
COEFFICIENTS = 3.4445, -4.7750, 2.0315  # singular values between 0.01 and 1 come near 1
SCALE = 0.2  # an update's root mean square, as large as Adam's


@keras.saving.register_keras_serializable("training")
class FusedAdam(keras.optimizers.Adam):
    """Keras' Adam as one operation a variable instead of thirteen: a run begins sooner, and small batches gain."""

    def update_step(self, gradient: tf.Tensor, variable: Any, learning_rate: tf.Tensor) -> None:
        """Update one variable and its two moments."""
        index = self._get_variable_index(variable)
        step, betas = tf.cast(self.iterations + 1, tf.float32), {"beta1": self.beta_1, "beta2": self.beta_2}
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle, m=self._momentums[index].handle, v=self._velocities[index].handle, grad=gradient,
            lr=learning_rate, **betas, **{f"{name}_power": beta**step for name, beta in betas.items()},
            epsilon=self.epsilon,
        )  # fmt: skip


@keras.saving.register_keras_serializable("training")
class Muon(FusedAdam):
    """Orthogonalize the momentum of every kernel before the output layer; Adam for the other weights.

    Jordan et al.: Muon: An optimizer for hidden layers in neural networks (2024); the scale is that of Liu et al.:
    Muon is Scalable for LLM Training (2025). Keras' own leaves convolutions to Adam.
    """

    def build(self, variables: list[Any]) -> None:
        """Make the moments."""
        super().build(variables)
        self._hidden_kernels = [index for index, variable in enumerate(variables) if len(variable.shape) > 1][:-1]

    def update_step(self, gradient: tf.Tensor, variable: Any, learning_rate: tf.Tensor) -> None:
        """Update one variable and its moments, of which Muon has the first only."""
        index = self._get_variable_index(variable)
        if index not in self._hidden_kernels:
            super().update_step(gradient, variable, learning_rate)
            return
        momentum = self._momentums[index]
        momentum.assign(MOMENTUM * momentum + (1 - MOMENTUM) * gradient)
        ahead = MOMENTUM * momentum + (1 - MOMENTUM) * gradient  # Nesterov
        direction = tf.reshape(orthogonalize(tf.reshape(ahead, [-1, variable.shape[-1]])), variable.shape)
        variable.assign(variable - learning_rate * SCALE * direction)


def orthogonalize(matrix: tf.Tensor) -> tf.Tensor:
    """Bring the singular values near 1, and scale to a root mean square of about 1."""
    rows, columns = matrix.shape
    wide = tf.transpose(matrix) if rows > columns else matrix
    wide /= tf.norm(wide) + 1e-7
    first, third, fifth = COEFFICIENTS
    for _ in range(ITERATIONS):
        square = tf.matmul(wide, wide, transpose_b=True)
        wide = first * wide + tf.matmul(third * square + fifth * tf.matmul(square, square), wide)
    return (tf.transpose(wide) if rows > columns else wide) * max(rows, columns) ** 0.5


def for_preset(preset: Preset, learning_rate: float, steps: int) -> keras.optimizers.Optimizer:
    """Return the preset's optimizer, with its schedule over `steps` batches."""
    return (Muon if preset.muon else FusedAdam)(
        rise_and_fall(learning_rate, steps, preset.rise) if preset.cosine else staircase(learning_rate),
        beta_2=preset.beta_2,
        use_ema=bool(preset.averaging),
        ema_momentum=1 - 1 / max(preset.averaging * steps, 2),
    )


def staircase(rate: float) -> keras.optimizers.schedules.LearningRateSchedule:
    """Return the legacy application's schedule: times 0.93 every 400 batches."""
    return keras.optimizers.schedules.ExponentialDecay(rate, DECAY_BATCHES, DECAY, staircase=True)


def rise_and_fall(rate: float, steps: int, rise: float) -> keras.optimizers.schedules.LearningRateSchedule:
    """Return a rise to `rate` over a share `rise` of the steps, then a cosine fall to a hundredth.

    One cycle: Smith, Topin: Super-Convergence: Very Fast Training Using Large Learning Rates, 2017.
    """
    warm = max(1, round(steps * rise))
    return keras.optimizers.schedules.CosineDecay(
        rate / 20, max(1, steps - warm), alpha=0.01, warmup_target=rate, warmup_steps=warm
    )
