"""The two convolutions of a model, as the page needs them to show what the network does with a drawing."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognition.classifier import registered_bytes
from recognition.errors import NoFile
from recognition.models import ModelVersion

SHAPES = [(32, 1, 5, 5), (32,), (64, 32, 5, 5), (64,)]  # weights and biases of the first, of the second
LENGTH = 4 * sum(int(np.prod(shape)) for shape in SHAPES)  # bytes


def filters(model: ModelVersion) -> bytes:
    """Little-endian float32: w1 [32, 1, 5, 5], b1 [32], w2 [64, 32, 5, 5], b2 [64], one after the other.

    Raises ModelRejected for a file that is not the registered one, and NoFile for another network than the product's.
    """
    return extracted(model.pk, registered_bytes(model))


@lru_cache(maxsize=4)
def extracted(version: int, content: bytes) -> bytes:
    """From the ONNX file. Reading it takes the `onnx` package, 13 MB, which only those pay who open the window."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load_model_from_string(content).graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    parts: list[NDArray[Any]] = []
    for node in convolutions:
        parts += [numpy_helper.to_array(constants[name]) for name in node.input[1:] if name in constants]
    if [part.shape for part in parts] != SHAPES:
        raise NoFile("This model's network is not the one whose convolutions can be shown.")
    return b"".join(np.ascontiguousarray(part, "<f4").tobytes() for part in parts)
