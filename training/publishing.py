"""Publish a model that was trained elsewhere: it is checked, measured and calibrated before it is kept."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from digits_site.web.formatting import format_percent
from recognition import registry
from recognition.errors import ModelRejected
from recognition.inspection import MAX_MODEL_BYTES, check_graph, signature
from recognition.models import ModelVersion, Origin
from recognition.prediction.classifier import BATCH_SIZE, open_session
from training.learner import dataset
from training.learner.measures import measure

MIN_ACCURACY = 0.9  # of the 10,000 test digits; a linear classifier reaches 0.92
MAX_SECONDS = 0.05  # a digit, on one thread; the shipped model needs 0.0001
TOLERANCE = 1e-3  # of a sum of probabilities, and between a digit alone and in a batch
MAX_NAME = ModelVersion._meta.get_field("name").max_length or 0


@dataclass(frozen=True)
class Published:
    """The version, and whether the same bytes were registered before."""

    model: ModelVersion
    is_new: bool
    calibration_error: float = 0.0


def publish_file(path: Path, name: str) -> Published:
    """Check an ONNX file, measure and calibrate its network on MNIST's test digits, and register it.

    The network may have seen any training digit, so it is calibrated on the test digits. Their labels choose two
    numbers, the temperature and the threshold of `uncertain`, and no prediction.

    Raises ModelRejected, DatasetError, OSError and StorageUnavailable.
    """
    name = check_name(name)
    content = read(path)
    existing = ModelVersion.objects.filter(sha256=hashlib.sha256(content).hexdigest()).first()
    if existing:
        return Published(existing, is_new=False)
    check_graph(content)
    check_signature(content)
    test = dataset.load(settings.MNIST_DIR, "t10k")
    answers = predict(content, test.images)
    figures = measure(lambda _: answers, test, calibrating=test)
    accuracy = figures["test_accuracy"]
    if accuracy < MIN_ACCURACY:
        least = format_percent(MIN_ACCURACY)
        raise ModelRejected(
            f"The model reads {format_percent(accuracy)} of the test digits. It needs at least {least}."
        )
    model = registry.publish(
        content,
        test_accuracy=accuracy,
        temperature=figures["temperature"] or 1.0,
        uncertain_below=figures["uncertain_below"],
        name=name,
        origin=Origin.FILE,
    )
    return Published(model, True, figures["calibration_error"])


def check_name(name: str) -> str:
    """Return the name without spaces around it. Raises ModelRejected."""
    name = name.strip()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise ModelRejected(f"The name needs 1 to {MAX_NAME} printable characters.")
    return name


def read(path: Path) -> bytes:
    """Return a file's content, of which no more is read than a model may have. Raises ModelRejected and OSError."""
    if not path.is_file():
        raise ModelRejected(f"{path} is not a file.")
    with path.open("rb") as file:
        return file.read(MAX_MODEL_BYTES + 1)


def check_signature(content: bytes) -> None:
    """Raise ModelRejected unless the input and the output are those of a model that the classifier runs."""
    for kind, wanted in {"input": [28, 28, 1], "output": [10]}.items():
        found = signature(content)[f"{kind}s"]
        if len(found) != 1 or found[0]["dtype"] != "float32" or found[0]["shape"][1:] != wanted:
            shown = ", ".join(f"{one['name']}: {one['dtype']} {one['shape']}" for one in found) or "none"
            raise ModelRejected(f"The model needs one {kind}, float32 {[-1, *wanted]}. It has {shown}.")
        if found[0]["shape"][0] != -1:
            raise ModelRejected(f"The model's {kind} has a fixed batch size. Export it with a dynamic first dimension.")


def predict(content: bytes, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the probabilities [N, 10] of the pictures [N, 28, 28, 1], predicted as a web process would.

    Raises ModelRejected if they are no probabilities, depend on the batch, or take too long.
    """
    from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException

    session = open_session(content)
    source = session.get_inputs()[0].name
    batches = [images[start : start + BATCH_SIZE] for start in range(0, len(images), BATCH_SIZE)]
    extremes = np.stack([np.zeros_like(images[0]), np.ones_like(images[0])])
    try:
        began = time.process_time()
        first = session.run(None, {source: batches[0]})[0]
        if (time.process_time() - began) / len(batches[0]) > MAX_SECONDS:
            raise ModelRejected(f"The model is too slow. A digit may take {MAX_SECONDS} seconds of CPU.")
        check_probabilities(session.run(None, {source: extremes})[0], len(extremes))
        alone = np.concatenate([session.run(None, {source: batches[0][row : row + 1]})[0] for row in range(3)])
        answers = np.concatenate([first, *(session.run(None, {source: batch})[0] for batch in batches[1:])])
    except (RuntimeException, ValueError) as error:
        raise ModelRejected(f"The model cannot be run: {str(error).partition(chr(10))[0]}") from error
    check_probabilities(answers, len(images))
    if not np.allclose(alone, first[:3], atol=TOLERANCE):
        raise ModelRejected("The model answers differently when digits come together. Export it for inference.")
    return np.asarray(answers, np.float32)


def check_probabilities(answers: NDArray[np.float32], count: int) -> None:
    """Raise ModelRejected unless each answer has ten probabilities."""
    if answers.shape != (count, 10):
        raise ModelRejected(f"The model answers {list(answers.shape)} for {count} digits, not {[count, 10]}.")
    sums_to_one = np.allclose(answers.sum(axis=1), 1, atol=TOLERANCE)  # false for NaN
    if not (sums_to_one and (answers >= 0).all()):
        raise ModelRejected("The model's outputs are not probabilities that sum to 1. Add a softmax.")
