"""The weights of a model's network, which the page needs to show how a drawing becomes an answer."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognition.errors import NoFile

# Weights and biases of the two convolutions, then of the two dense layers, in the file's order.
FILTERS = {"w1": (32, 1, 5, 5), "b1": (32,), "w2": (64, 32, 5, 5), "b2": (64,)}
DENSE = {"w3": (1024, 128), "b3": (128,), "w4": (128, 10), "b4": (10,)}


def layout(shapes: dict[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {list(shape)}" for name, shape in shapes.items())


def filters(content: bytes) -> bytes:
    """Return the arrays of FILTERS in an ONNX file. Raises NoFile for another kind of network."""
    return weights(content)[0]


def dense(content: bytes) -> bytes:
    """Return the arrays of DENSE in an ONNX file. Raises NoFile for another kind of network."""
    return weights(content)[1]


@lru_cache(maxsize=4)
def weights(content: bytes) -> tuple[bytes, bytes]:
    """Return the arrays of FILTERS, and of DENSE, as little-endian float32. Raises NoFile for another kind of network.

    Only a process that does so imports the `onnx` package, 13 MB.
    """
    import onnx
    from onnx import numpy_helper

    graph = onnx.load_model_from_string(content).graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    layers = [node for node in graph.node if node.op_type in {"Conv", "MatMul", "Add"}]
    names = [name for node in layers for name in node.input if name in constants]
    parts: list[NDArray[Any]] = [numpy_helper.to_array(constants[name]) for name in names]
    if [part.shape for part in parts] != [*FILTERS.values(), *DENSE.values()]:
        raise NoFile("This model's network has other layers, which cannot be shown.")
    arrays = [np.ascontiguousarray(part, "<f4").tobytes() for part in parts]
    return b"".join(arrays[: len(FILTERS)]), b"".join(arrays[len(FILTERS) :])
