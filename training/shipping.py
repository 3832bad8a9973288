"""The shipped model: files in the repository, with the history of the run that trained it."""

import base64
import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.dateparse import parse_datetime

from recognition import registry
from recognition.errors import ModelRejected
from recognition.models import Activation, ModelVersion, Via
from training.models import SHIPPED, Epoch, Predictions, Status, TrainingRun
from training.serializers import EpochSerializer

FOLDER = Path(__file__).resolve().parent / "data" / "shipped"
MODEL_FILE, KERAS_FILE, RUN_FILE = FOLDER / "model.onnx", FOLDER / "model.keras", FOLDER / "run.json"
FIELDS = ("preset", "parameters", "test_accuracy", "calibration_error", "confusion", "versions", "attempt", "seq")
CALIBRATION = ("temperature", "uncertain_below")
PREDICTIONS = ("predicted", "confidence")
TIMES = ("queued_at", "started_at", "finished_at")


def ship(run: TrainingRun) -> None:
    """Write a completed run's model and history into the repository."""
    assert run.model is not None, "only a completed run has a model"
    content, keras_content = run.model.file.read(), run.model.keras_file.read()
    history: dict[str, Any] = {name: getattr(run, name) for name in FIELDS}
    history |= {name: getattr(run, name).isoformat() for name in TIMES}
    history["epochs"] = [dict(row) for row in EpochSerializer(run.epochs.all(), many=True).data]
    history["calibration"] = {name: getattr(run.model, name) for name in CALIBRATION}
    history["predictions"] = {name: pack(getattr(run.predictions, name)) for name in PREDICTIONS}
    history["sha256"] = hashlib.sha256(content).hexdigest()
    FOLDER.mkdir(parents=True, exist_ok=True)
    MODEL_FILE.write_bytes(content)
    KERAS_FILE.write_bytes(keras_content)
    RUN_FILE.write_text(json.dumps(history, indent=1) + "\n")


def install() -> ModelVersion:
    """Register the shipped model and its run, and activate it if no model is in service. Safe to repeat.

    Raises ModelRejected if the file is not the one in its history.
    """
    history = json.loads(RUN_FILE.read_text())
    content = MODEL_FILE.read_bytes()
    if hashlib.sha256(content).hexdigest() != history["sha256"]:
        raise ModelRejected("The shipped model file differs from the one in its history.")
    model = ModelVersion.objects.filter(sha256=history["sha256"]).first()
    if model is None:
        with transaction.atomic():
            model = registry.publish(
                content,
                test_accuracy=history["test_accuracy"],
                keras_content=KERAS_FILE.read_bytes(),
                **history["calibration"],
            )
            add_run(history, model)
    if Activation.current() is None:
        registry.activate(model, via=Via.INSTALL)
    return model


def add_run(history: dict[str, Any], model: ModelVersion) -> None:
    """Insert the run that trained the model, with its epochs and predictions."""
    times = {name: parse_datetime(history[name]) for name in TIMES}
    run = TrainingRun.objects.create(
        **{name: history[name] for name in FIELDS}, **times, status=Status.COMPLETED, model=model, worker=SHIPPED
    )
    Epoch.objects.bulk_create(Epoch(run=run, **values) for values in history["epochs"])
    Predictions.objects.create(run=run, **{name: unpack(history["predictions"][name]) for name in PREDICTIONS})


def pack(content: bytes) -> str:
    """Return bytes as text for JSON."""
    return base64.b64encode(zlib.compress(content, 9)).decode()


def unpack(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))
