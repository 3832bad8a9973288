"""ONNX models that give the same answer for every drawing, and the digit that the model in service answers."""

from collections.abc import Sequence

import numpy as np
from onnx import TensorProto, helper

from recognition import registry
from recognition.models import Activation, ModelVersion
from recognition.prediction import classifier
from tests.support.stack import eventually


def constant_model(digit: int, width: int = 28, outputs: int = 10) -> bytes:
    """Return the ONNX file of a model that answers `digit` for every drawing."""
    return constant_probabilities([float(n == digit) for n in range(outputs)], width)


def constant_probabilities(answer: Sequence[float], width: int = 28) -> bytes:
    """Return the ONNX file of a model that answers these probabilities for every drawing."""
    outputs = len(answer)
    nodes = [
        helper.make_node("Flatten", ["digit"], ["flat"]),
        helper.make_node("MatMul", ["flat", "zeros"], ["nothing"]),
        helper.make_node("Add", ["nothing", "answer"], ["probabilities"]),
    ]
    graph = helper.make_graph(
        nodes,
        "constant",
        [helper.make_tensor_value_info("digit", TensorProto.FLOAT, ["n", width, width, 1])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", outputs])],
        [
            helper.make_tensor("zeros", TensorProto.FLOAT, [width * width, outputs], np.zeros(width * width * outputs)),
            helper.make_tensor("answer", TensorProto.FLOAT, [1, outputs], answer),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def publish_constant_model(digit: int) -> ModelVersion:
    return registry.publish(constant_model(digit), test_accuracy=0.1 * digit)


def predicted_now() -> int:
    """Return the digit that this process predicts for an empty picture."""
    return int(classifier.in_service().probabilities(np.zeros((1, 28, 28), np.float32)).argmax())


def predicted_in_service() -> int:
    """Return the same once this process has noticed the newest activation, which takes it half a second at most."""
    eventually(lambda: classifier.in_service().version == Activation.current_model_id(), 10)
    return predicted_now()
