"""The two convolutions of a model, which the page needs to show what the network does with a drawing."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognition.errors import NoFile

# Weights and biases, in the file's order.
SHAPES = {"w1": (32, 1, 5, 5), "b1": (32,), "w2": (64, 32, 5, 5), "b2": (64,)}
LAYOUT = ", ".join(f"{name} {list(shape)}" for name, shape in SHAPES.items())


@lru_cache(maxsize=4)
def filters(content: bytes) -> bytes:
    """Return the arrays of SHAPES in an ONNX file as little-endian float32. Raises NoFile for another kind of network.

    Only a process that does so imports the `onnx` package, 13 MB.
    """
    import onnx
    from onnx import numpy_helper

    graph = onnx.load_model_from_string(content).graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    parts: list[NDArray[Any]] = []
    for node in convolutions:
        parts += [numpy_helper.to_array(constants[name]) for name in node.input[1:] if name in constants]
    if [part.shape for part in parts] != list(SHAPES.values()):
        raise NoFile("This model's network has other convolutions, which cannot be shown.")
    return b"".join(np.ascontiguousarray(part, "<f4").tobytes() for part in parts)
