"""How long an epoch's multiplications take at the rate of one big matrix product: a bound for direct convolutions."""

from __future__ import annotations

import math
import os
from argparse import Namespace
from typing import Any

from benchmarks._ways import common
from training.learner.child import TENSORFLOW_ENVIRONMENT

os.environ |= TENSORFLOW_ENVIRONMENT
import keras
import tensorflow as tf

from training.learner import network

SIDE = 2048
REPEATS = 20


def multiplications(layer: keras.Layer) -> int:
    """Multiplications with weights for one digit, forward."""
    if isinstance(layer, keras.layers.Conv2D):
        _, height, width, _ = layer.output.shape
        return int(height * width * math.prod(layer.kernel.shape))
    return int(math.prod(layer.kernel.shape)) if isinstance(layer, keras.layers.Dense) else 0


def flop_per_digit() -> int:
    """Floating-point operations of training on one digit, in the layers that have weights.

    A multiplication comes with an addition. Each layer is gone through three times: forward, for the gradient of its
    weights and for the gradient of its input, which the first layer does not need.
    """
    counts = [count for layer in network.build(common.ORIGINAL).layers if (count := multiplications(layer))]
    return 2 * (3 * sum(counts) - counts[0])


def flop_per_second() -> float:
    """The best rate of several float32 products of two square matrices, all cores at work."""
    left, right = (tf.random.uniform((SIDE, SIDE)) for _ in range(2))
    for _ in range(3):
        tf.linalg.matmul(left, right).numpy()
    best = math.inf
    for _ in range(REPEATS):
        clock = common.Clock()
        tf.linalg.matmul(left, right)  # on a CPU it returns with the product done
        best = min(best, clock.read()["wall"])
    return 2 * SIDE**3 / best


def measure(task: Namespace) -> dict[str, Any]:
    digits, _ = common.digits_and_epochs(task)
    work, rate = flop_per_digit(), flop_per_second()
    common.say(f"{rate / 1e9:.0f} GFLOP/s, {work / 1e6:.1f} MFLOP a digit")
    seconds = {"wall": work * digits / rate}
    return {"digits": digits, "epochs": [seconds], "gflop_per_second": rate / 1e9, "mflop_per_digit": work / 1e6}
