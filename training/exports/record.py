"""What an export holds, whatever it is written to. `record_of` alone decides what of a run goes where."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from recognition.inspection import signature
from recognition.prediction.classifier import registered_bytes
from training.exports.confusion import render_confusion
from training.models import Batches, Epoch, TrainingRun
from training.serializers import represent

# Keys of a run's representation (training.serializers). Empty values are left out.
TAGS = (
    *(
        "name",
        "notes",
        "preset",
        "status",
        "continues",
        "requested_by",
        "queued_at",
        "attempt",
        "resumed_after_epoch",
        "stopped_by",
        "stopped_via",
    ),
    *("error_code", "error", "base", "model", "not_activated"),
)
BATCH_MEASURES = ("loss", "accuracy")
MEASURES = ("loss", "accuracy", "val_loss", "val_accuracy", "objective", "learning_rate", "seconds")
RESULTS = {"test/accuracy": "test_accuracy", "test/calibration_error": "calibration_error"}
AFTER_TRAINING = ("evaluating", "exporting")  # the phases behind the last epoch
MODEL_FILE, SIGNATURE_FILE, CONFUSION_FILE = "model/model.onnx", "model/signature.json", "confusion.png"
INSTALL = "pip install --require-hashes -r requirements-export.lock"


class ExportError(Exception):
    """The run cannot be written there; the message says why."""


class Measurement(NamedTuple):
    """One value of a metric: at an epoch, at a batch counted from the run's start, or at the end (step 0)."""

    metric: str
    value: float
    step: int
    time: float  # seconds since 1970, estimated from the epochs' durations


@dataclass(frozen=True)
class RunRecord:
    """A run as trackers know one.

    Attributes:
        folder: A name for files, without what people wrote on the run.
        identity: The same at every export, and another one for another installation's run with the same ID.
        files: Their contents, by path.
    """

    name: str
    folder: str
    identity: str
    status: str
    started: float
    ended: float
    parameters: dict[str, Any]
    tags: dict[str, str]
    measurements: list[Measurement]
    files: dict[str, bytes]


def record_of(run: TrainingRun) -> RunRecord:
    """Return the record of an ended run. Raises ModelRejected if its model's file cannot be read."""
    shown = represent(run)
    assert run.finished_at is not None, "only ended runs are exported"
    tags = {name: shown[name] for name in TAGS} | {f"version.{name}": it for name, it in run.versions.items()}
    tags |= {"tags": ", ".join(shown["tags"])} | {f"environment.{name}": it for name, it in run.environment.items()}
    tags["model_sha256"] = run.model.sha256 if run.model else None
    return RunRecord(
        name=f"{run}: {run.name}" if run.name else str(run),
        folder=f"run-{run.pk}",
        identity=f"{run.pk} of {run.queued_at.isoformat()}",
        status=run.status,
        started=(run.started_at or run.queued_at).timestamp(),
        ended=run.finished_at.timestamp(),
        parameters={"preset": run.preset, **shown["parameters"]},
        tags={name: str(value) for name, value in tags.items() if value not in (None, "")},
        measurements=measurements_of(run),
        files=files_of(run),
    )


def measurements_of(run: TrainingRun) -> list[Measurement]:
    """Return the metrics by batch, by epoch and of the test set, each in the order of time."""
    epochs = list(run.epochs.order_by("epoch"))
    time_at = clock(run, epochs)
    found = []
    for batches in Batches.objects.filter(run=run):  # one row, or none
        for at, *values in batches.points:
            step, time = round(at * batches.steps), time_at(at)
            found += [
                Measurement(f"batch/{name}", it, step, time) for name, it in zip(BATCH_MEASURES, values, strict=True)
            ]
    for epoch in epochs:
        values = [(name, getattr(epoch, name)) for name in MEASURES]
        found += [Measurement(f"epoch/{name}", it, epoch.epoch, time_at(epoch.epoch)) for name, it in values]
    found += [Measurement(name, getattr(run, field), 0, time_at(np.inf)) for name, field in RESULTS.items()]
    return [each for each in found if each.value is not None]


def clock(run: TrainingRun, epochs: Sequence[Epoch]) -> Callable[[float], float]:
    """Return the function from finished epochs, with a fraction, to the time; infinity is the run's end.

    Rows have durations but no times: counted back from the run's end, within its bounds.
    """
    ended = run.finished_at.timestamp() if run.finished_at else 0.0
    started = (run.started_at or run.queued_at).timestamp()
    last = ended - sum(run.phase_seconds.get(phase, 0.0) for phase in AFTER_TRAINING)
    ends = [last - later for later in accumulate([0.0, *(epoch.seconds for epoch in reversed(epochs))])][::-1]
    times = np.clip([*ends, ended], started, ended)
    counts = [0, *(epoch.epoch for epoch in epochs), len(epochs) + 1]
    return lambda at: float(np.interp(at, counts, times))


def files_of(run: TrainingRun) -> dict[str, bytes]:
    """Return the confusion matrix as a picture, and the model with its signature. Raises ModelRejected."""
    files = {}
    if run.confusion:
        files[CONFUSION_FILE] = render_confusion(run.confusion)
    if run.model:
        files[MODEL_FILE] = registered_bytes(run.model)
        files[SIGNATURE_FILE] = json.dumps(signature(files[MODEL_FILE]), indent=1).encode()
    return files
