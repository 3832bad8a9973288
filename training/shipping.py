"""The model that ships: a file in the repository with the history of the run that made it."""

from __future__ import annotations

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
from recognition.models import Activation, ModelVersion
from training.models import SHIPPED, Epoch, Predictions, Status, TrainingRun
from training.serializers import EpochSerializer

FOLDER = Path(__file__).resolve().parent / "data" / "shipped"
MODEL_FILE, KERAS_FILE, RUN_FILE = FOLDER / "model.onnx", FOLDER / "model.keras", FOLDER / "run.json"
FACTS = ("preset", "parameters", "test_accuracy", "calibration_error", "confusion", "versions", "attempt", "seq")
CALIBRATION = ("temperature", "uncertain_below")
PREDICTIONS = ("predicted", "confidence")
TIMES = ("queued_at", "started_at", "finished_at")


def ship(run: TrainingRun) -> None:
    """Write a completed run's model and history to where they ship from."""
    assert run.model is not None, "only a completed run has a model"
    content, keras_content = run.model.file.read(), run.model.keras_file.read()
    facts: dict[str, Any] = {name: getattr(run, name) for name in FACTS}
    facts |= {name: getattr(run, name).isoformat() for name in TIMES}
    facts["epochs"] = [dict(row) for row in EpochSerializer(run.epochs.all(), many=True).data]
    facts["calibration"] = {name: getattr(run.model, name) for name in CALIBRATION}
    facts["predictions"] = {name: packed(getattr(run.predictions, name)) for name in PREDICTIONS}
    facts["sha256"] = hashlib.sha256(content).hexdigest()
    FOLDER.mkdir(parents=True, exist_ok=True)
    MODEL_FILE.write_bytes(content)
    KERAS_FILE.write_bytes(keras_content)
    RUN_FILE.write_text(json.dumps(facts, indent=1) + "\n")


def install() -> ModelVersion:
    """Register the shipped model with its run; put it into service where none serves. Repeating it changes nothing.

    Raises ModelRejected when the file in the repository is not the one that its history describes.
    """
    facts = json.loads(RUN_FILE.read_text())
    content = MODEL_FILE.read_bytes()
    if hashlib.sha256(content).hexdigest() != facts["sha256"]:
        raise ModelRejected("The shipped model is not the one that its history describes.")
    model = ModelVersion.objects.filter(sha256=facts["sha256"]).first()
    if model is None:
        with transaction.atomic():
            model = registry.publish(
                content,
                test_accuracy=facts["test_accuracy"],
                keras_content=KERAS_FILE.read_bytes(),
                **facts["calibration"],
            )
            add_history(facts, model)
    if Activation.current() is None:
        registry.activate(model)
    return model


def add_history(facts: dict[str, Any], model: ModelVersion) -> None:
    """The run as it really happened, epoch by epoch."""
    times = {name: parse_datetime(facts[name]) for name in TIMES}
    run = TrainingRun.objects.create(
        **{name: facts[name] for name in FACTS}, **times, status=Status.COMPLETED, model=model, worker=SHIPPED
    )
    Epoch.objects.bulk_create(Epoch(run=run, **values) for values in facts["epochs"])
    Predictions.objects.create(run=run, **{name: unpacked(facts["predictions"][name]) for name in PREDICTIONS})


def packed(content: bytes) -> str:
    """Bytes as JSON can hold them."""
    return base64.b64encode(zlib.compress(content, 9)).decode()


def unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))
