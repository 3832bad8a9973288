"""Export a Keras model to the ONNX file that serves, and check it against Keras."""

from pathlib import Path

import keras
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from training.learner.config import ExportMismatch

LARGEST_DIFFERENCE = 1e-4


def export(model: keras.Model, path: Path, digits: NDArray[np.float32], known: NDArray[np.float32]) -> float:
    """Write `path` and return the largest difference of its answers from Keras' answers.

    `digits` [N, 28, 28, 1] are the inputs of the check, and `known` [N, 10] Keras' answers. Raises ExportMismatch if
    the difference is 1e-4 or more: a converter can write a file that loads and is wrong.
    """
    model.export(path, format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    answers = session.run(None, {session.get_inputs()[0].name: digits})[0]
    difference = float(np.abs(answers - known).max())
    if not difference < LARGEST_DIFFERENCE:
        raise ExportMismatch(f"The exported model differs from the trained one by {difference:.2g}.")
    return difference


def save_weights(model: keras.Model, path: Path) -> None:
    """Write the network as a Keras file to train further: layers and weights, without the optimizer."""
    plain = keras.Sequential.from_config(model.get_config())  # clone_model would copy the optimizer
    plain.set_weights(model.get_weights())
    plain.save(path)
