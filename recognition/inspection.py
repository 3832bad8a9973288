"""Inspect an ONNX file from elsewhere before anything runs it, and describe its inputs and outputs."""

from __future__ import annotations

from typing import Any

from recognition.errors import ModelRejected

MAX_MODEL_BYTES = 32 * 1024 * 1024  # the shipped model has 1.8 MB; every web process holds up to four in memory
DOMAINS = {"", "ai.onnx", "ai.onnx.ml"}  # the operators that ONNX Runtime's CPU provider brings
# The key of a tensor's external file. ONNX Runtime would read any path, also with `../`. Protocol Buffers store text
# verbatim, so bytes without the key refer to no file.
EXTERNAL_DATA = b"location"
# They hold graphs of their own, whose work no size bounds.
CONTROL_FLOW = {"If", "Loop", "Scan", "SequenceMap"}


def check_graph(content: bytes) -> None:
    """Raise ModelRejected unless the bytes are one valid ONNX graph of standard operators.

    It has no loops, no functions and no references to other files; the `onnx` package infers its types and shapes.
    """
    if len(content) > MAX_MODEL_BYTES:
        raise ModelRejected(f"The file is too large. A model may have {MAX_MODEL_BYTES // 1024**2} MB.")
    refuse_external_data(content)  # first: the checker below would look for the files
    model = parse(content)
    if model.functions:  # each may call others: a small file could unfold into a huge graph
        raise ModelRejected("The model defines functions. Inline them (onnx.inliner) and export it again.")
    foreign = {node.domain for node in model.graph.node} - DOMAINS
    if foreign:
        raise ModelRejected(f"The model has custom operators ({', '.join(sorted(foreign))}). Use standard ones.")
    nested = {node.op_type for node in model.graph.node if is_nested(node)}
    if nested:
        raise ModelRejected(f"The model has control flow ({', '.join(sorted(nested))}). Export it without.")
    from onnx import checker, shape_inference

    try:
        checker.check_model(model, full_check=True)
    except (checker.ValidationError, shape_inference.InferenceError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise ModelRejected(f"The file is not a valid ONNX model: {reason}") from error


def refuse_external_data(content: bytes) -> None:
    """Raise ModelRejected if the model refers to other files, which no checksum covers."""
    if EXTERNAL_DATA in content:
        raise ModelRejected("The model refers to other files.")


def parse(content: bytes) -> Any:
    """Return an ONNX ModelProto. Raises ModelRejected."""
    import onnx  # here: only a process that does so carries the 13 MB
    from google.protobuf.message import DecodeError

    try:
        return onnx.load_model_from_string(content)
    except DecodeError as error:
        raise ModelRejected("The file is not an ONNX model.") from error


def is_nested(node: Any) -> bool:
    """Return whether the operator holds a graph."""
    return node.op_type in CONTROL_FLOW or any(each.HasField("g") or each.graphs for each in node.attribute)


def signature(content: bytes) -> dict[str, list[dict[str, Any]]]:
    """Return name, shape and NumPy dtype of the inputs and outputs; -1 is a dimension of any size."""
    from onnx import helper

    graph = parse(content).graph
    constants = {tensor.name for tensor in graph.initializer}

    def describe(value: Any) -> dict[str, Any]:
        tensor = value.type.tensor_type
        shape = [each.dim_value if each.HasField("dim_value") else -1 for each in tensor.shape.dim]
        dtype = helper.tensor_dtype_to_np_dtype(tensor.elem_type).name if tensor.elem_type else "undefined"
        return {"name": value.name, "shape": shape, "dtype": dtype}

    return {
        "inputs": [describe(value) for value in graph.input if value.name not in constants],
        "outputs": [describe(value) for value in graph.output],
    }
