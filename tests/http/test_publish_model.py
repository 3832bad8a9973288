"""manage.py publish_model: a model from elsewhere is checked, measured and calibrated, and serves like any other."""

import io
import re
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from numpy.typing import NDArray
from onnx import numpy_helper

from recognition.inspection import MAX_MODEL_BYTES
from recognition.models import ModelVersion
from tests.support.accepted_corrections import add_corrections
from tests.support.admin_pages import MODELS, superuser_client, text_of  # noqa: F401
from tests.support.constant_models import constant_model, predicted_in_service
from tests.support.drawings import data_url, draw, encode
from tests.support.refusals import assert_refused
from training.learner import dataset
from training.models import TrainingRun
from training.shipping import MODEL_FILE

pytestmark = pytest.mark.django_db
JSON = "application/json"
SOFTMAX = """<ir_version: 8, opset_import: ["": 17, "custom": 1]>
linear (float[n, 28, 28, 1] digit) => (float[n, 10] probabilities) {
    flat = Flatten (digit)
    logits = MatMul (flat, weights)
    probabilities = Softmax <axis = 1> (logits)
}"""


@cache
def weights() -> NDArray[np.float32]:
    """Return a softmax regression of MNIST: another network than the product's, trained by other means."""
    images, labels = (part[:20_000] for part in dataset.as_stored(settings.MNIST_DIR, "train"))
    pictures, targets = images.reshape(-1, 784) / np.float32(255), np.eye(10, dtype=np.float32)[labels]
    found = np.zeros((784, 10), np.float32)
    for start in [*range(0, len(pictures), 100)] * 4:
        batch = pictures[start : start + 100]
        raised = np.exp(batch @ found)
        found -= 0.003 * batch.T @ (raised / raised.sum(axis=1, keepdims=True) - targets[start : start + 100])
    return found


def softmax(text: str = SOFTMAX, scale: float = 1.0) -> bytes:
    """Return the regression as ONNX, by `text`."""
    model = onnx.parser.parse_model(text)
    model.graph.initializer.append(numpy_helper.from_array(scale * weights(), "weights"))
    content: bytes = model.SerializeToString()
    return content


def publish(content: bytes, folder: Path, name: str = "Softmax by NumPy") -> str:
    file, output = folder / "model.onnx", io.StringIO()
    file.write_bytes(content)
    call_command("publish_model", str(file), "--name", name, stdout=output)
    return output.getvalue()


def test_another_kind_of_network_is_published_activated_and_served(client: Client, tmp_path: Path) -> None:
    before = TrainingRun.objects.count()
    said = publish(softmax(), tmp_path)
    model = ModelVersion.objects.get(name="Softmax by NumPy")
    assert said.startswith(f"Model {model.pk} (Softmax by NumPy) is registered: {model.percent} on the MNIST test set")
    assert 0.9 < model.test_accuracy < 0.94
    assert 0.2 < (model.uncertain_below or 0) < 0.9
    assert TrainingRun.objects.count() == before, "it has no run"
    assert publish(softmax(), tmp_path, "Again") == f"This file is {model} already. Nothing was added.\n"
    shown = client.get("/api/models/").json()["results"][0]
    assert (shown["id"], shown["name"], shown["origin"], shown["run"]) == (model.pk, model.name, "file", None)
    assert shown["files"].keys() == {"onnx"}
    assert_refused(client.get(f"/api/models/{model.pk}/filters/"), 404, "no_file")
    for page in (MODELS, f"{MODELS}{model.pk}/change/"):
        assert "Softmax by NumPy" in text_of(client.get(page))
        assert "elsewhere, published from a file by command" in text_of(client.get(page))
    drawing = {"drawing": data_url(encode(draw(1)))}
    chosen = client.post(f"/api/drawing/?model={model.pk}", drawing, content_type=JSON).json()
    assert client.post(f"/api/models/{model.pk}/activate/", {}, content_type=JSON).status_code == 200
    predicted_in_service()
    answer = client.post("/api/drawing/", drawing, content_type=JSON).json()
    assert (answer["model"], answer["prediction"], answer["prediction"]) == (model.pk, 1, chosen["prediction"])
    assert client.post("/api/number/", drawing, content_type=JSON).json()["model"] == model.pk


def test_what_adapts_needs_a_model_that_was_trained_here(client: Client, shipped: None, tmp_path: Path) -> None:
    publish(altered(), tmp_path, "Same layers")
    model = ModelVersion.objects.get(name="Same layers")
    assert model.test_accuracy > 0.99
    assert client.post(f"/api/models/{model.pk}/activate/", {}, content_type=JSON).status_code == 200
    add_corrections(12)
    answer = client.post("/api/retrain_model/", {"preset": "adapt"}, content_type=JSON)
    assert "no Keras file" in assert_refused(answer, 409, "no_weights")["message"]
    assert client.get(f"/api/models/{model.pk}/filters/").status_code == 200


def altered() -> bytes:
    """Return the shipped model with one weight changed."""
    model = onnx.load(MODEL_FILE)
    tensor = next(each for each in model.graph.initializer if len(each.dims) == 4)
    array = numpy_helper.to_array(tensor).copy()
    array.flat[0] *= 1.01
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    content: bytes = model.SerializeToString()
    return content


def with_external_data() -> bytes:
    model = onnx.load_model_from_string(softmax())
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    content: bytes = model.SerializeToString()
    return content


def with_a_function() -> bytes:
    model = onnx.load_model_from_string(softmax())
    model.functions.add(name="f", domain="custom")
    content: bytes = model.SerializeToString()
    return content


BRANCHES = """<ir_version: 8, opset_import: ["": 17]>
branches (float[n, 28, 28, 1] digit, bool chosen) => (float[n, 10] probabilities) {
    probabilities = If (chosen) <
        then_branch = a () => (float[1] one) { one = Constant <value_floats = [1.0]> () },
        else_branch = b () => (float[1] two) { two = Constant <value_floats = [2.0]> () }
    >
}"""
BAD = {
    "garbage": (lambda: b"\x08\x08not a model", "not a"),
    "empty": (lambda: b"", "not a valid ONNX model"),
    "torn": (lambda: softmax()[:20_000], "not an ONNX model"),
    "huge": (lambda: bytes(MAX_MODEL_BYTES + 1), "The file is too large. A model may have 32 MB."),
    "external data": (with_external_data, "refers to other files"),
    "function": (with_a_function, "defines functions"),
    "custom operator": (
        lambda: softmax(SOFTMAX.replace("= Flatten", "= custom.Flatten")),
        r"custom operators \(custom\)",
    ),
    "control flow": (lambda: onnx.parser.parse_model(BRANCHES).SerializeToString(), r"control flow \(If\)"),
    "27x28": (
        lambda: softmax(SOFTMAX.replace("28, 28, 1", "784")),
        r"needs one input, float32 \[-1, 28, 28, 1\]. It has digit: float32 \[-1, 784\]",
    ),
    "bytes": (
        lambda: softmax(SOFTMAX.replace("float[n, 28", "uint8[n, 28").replace("Flatten (d", "Cast <to = 1> (d")),
        "valid|input",
    ),
    "fixed batch": (lambda: softmax(SOFTMAX.replace("[n, ", "[1, ")), "fixed batch size"),
    "nine outputs": (lambda: constant_model(1, outputs=9), "needs one output"),
    "logits": (lambda: softmax(SOFTMAX.replace("Softmax <axis = 1>", "Identity")), "not probabilities"),
    "softmax over the batch": (lambda: softmax(SOFTMAX.replace("axis = 1", "axis = 0")), "not probabilities"),
    "not a number": (lambda: softmax(scale=float("nan")), "not probabilities"),
    "constant": (lambda: constant_model(1), r"reads 11.35% of the test digits. It needs at least 90.00%"),
    "untrained": (lambda: softmax(scale=-1.0), "of the test digits"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_cannot_serve_well_is_refused(shipped: None, tmp_path: Path, kind: str) -> None:
    make, reason = BAD[kind]
    before = ModelVersion.objects.count()
    with pytest.raises(CommandError) as error:
        publish(make(), tmp_path)
    assert re.search(reason, str(error.value)), error.value
    assert ModelVersion.objects.count() == before


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "two\nlines", "\x1b[31m"])
def test_a_name_is_short_and_printable(tmp_path: Path, name: str) -> None:
    with pytest.raises(CommandError, match="The name needs 1 to 60 printable characters"):
        publish(softmax(), tmp_path, name)


def test_a_path_that_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.onnx", "/dev/zero"):
        with pytest.raises(CommandError, match="is not a file"):
            call_command("publish_model", str(path), "--name", "x")
