"""python -m benchmarks.layers: where an epoch's time goes, operation by operation, and what other ways would cost.

Each operation alone, compiled, on a batch of 128 with every core; seconds are for the 60,000 digits of an epoch.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from training.learner.child import TENSORFLOW_ENVIRONMENT

os.environ.update(TENSORFLOW_ENVIRONMENT)

import tensorflow as tf

from benchmarks.preprocessing import processor

BATCH, DIGITS = 128, 60_000
CONV1, CONV2 = 24 * 24 * 32 * 25 * 2, 8 * 8 * 64 * 25 * 32 * 2  # operations a digit
Operation = tuple[str, Callable[..., tf.Tensor], tuple[Any, ...], int]


def gradient_of_filter(shape: list[int]) -> Callable[..., tf.Tensor]:
    return lambda x, d: tf.raw_ops.Conv2DBackpropFilter(
        input=x, filter_sizes=shape, out_backprop=d, strides=[1, 1, 1, 1], padding="VALID"
    )


def gradient_of_input(w: tf.Tensor, d: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.Conv2DBackpropInput(
        input_sizes=[BATCH, 12, 12, 32], filter=w, out_backprop=d, strides=[1, 1, 1, 1], padding="VALID"
    )


def convolved(x: tf.Tensor, w: tf.Tensor) -> tf.Tensor:
    return tf.nn.conv2d(x, w, 1, "VALID")


def pooled_and_back(h: tf.Tensor, d: tf.Tensor) -> tf.Tensor:
    with tf.GradientTape() as tape:
        tape.watch(h)
        y = tf.nn.max_pool2d(h, 2, 2, "VALID")
    return tape.gradient(y, h, d)


def patches(x: tf.Tensor) -> tf.Tensor:
    """[N * 576, 25]: what the first convolution as one matrix product would need."""
    return tf.reshape(tf.concat([x[:, i : i + 24, j : j + 24, :] for i in range(5) for j in range(5)], -1), [-1, 25])


def second_convolution(kind: tf.DType) -> list[Operation]:
    x, w, d = (
        tf.cast(tf.random.normal(shape), kind) for shape in ((BATCH, 12, 12, 32), (5, 5, 32, 64), (BATCH, 8, 8, 64))
    )
    name = f"second convolution, {kind.name}"
    return [
        (f"{name}: forward", convolved, (x, w), CONV2),
        (f"{name}: gradient of its weights", gradient_of_filter([5, 5, 32, 64]), (x, d), CONV2),
        (f"{name}: gradient of its input", gradient_of_input, (w, d), CONV2),
    ]


def operations() -> list[Operation]:
    x, w, h = (
        tf.random.normal((BATCH, 28, 28, 1)),
        tf.random.normal((5, 5, 1, 32)),
        tf.random.normal((BATCH, 24, 24, 32)),
    )
    small = tf.random.normal((BATCH, 12, 12, 32))
    flat, dense, delta = (tf.random.normal(shape) for shape in ((BATCH, 1024), (1024, 128), (BATCH, 128)))
    return [
        ("first convolution: forward", convolved, (x, w), CONV1),
        ("first convolution: gradient of its weights", gradient_of_filter([5, 5, 1, 32]), (x, h), CONV1),
        ("first pooling: forward and back", pooled_and_back, (h, small), 0),
        ("ReLU before the first pooling", tf.nn.relu, (h,), 0),
        ("ReLU after it", tf.nn.relu, (small,), 0),
        *second_convolution(tf.float32),
        ("dense layer: forward", tf.matmul, (flat, dense), 1024 * 128 * 2),
        (
            "dense layer: gradient of its weights",
            lambda f, d: tf.matmul(f, d, transpose_a=True),
            (flat, delta),
            1024 * 256,
        ),
        ("not used: patches, for the first convolution as a matrix product", patches, (x,), 0),
        *((f"not used: {name}", *rest) for name, *rest in second_convolution(tf.bfloat16)),
    ]


def seconds(call: Callable[..., tf.Tensor], values: tuple[Any, ...], repeats: int = 40) -> float:
    """The best of five means."""
    compiled = tf.function(call, autograph=False, jit_compile=False)
    compiled(*values)
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(repeats):
            answer = compiled(*values)
        tf.cast(answer, tf.float32).numpy()
        taken.append((time.perf_counter() - began) / repeats)
    return min(taken)


def main() -> None:
    print(f"{processor()}; TensorFlow {tf.__version__}, oneDNN on\n")
    print("| operation | ms a batch | s an epoch | GFLOP/s |\n| --- | ---: | ---: | ---: |")
    for name, call, values, flops in operations():
        taken = seconds(call, values)
        rate = f"{flops * BATCH / taken / 1e9:.0f}" if flops else "–"
        print(f"| {name} | {taken * 1e3:.2f} | {taken * DIGITS / BATCH:.2f} | {rate} |", flush=True)


if __name__ == "__main__":
    main()
