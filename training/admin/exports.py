"""Runs as files, for a spreadsheet (CSV, a row each) or a program (JSON, with their epochs)."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet

from training.models import TrainingRun
from training.parameters import PARAMETERS
from training.serializers import RunSerializer

MOST = 1000  # runs in one file
FORMULA = ("=", "+", "-", "@", "\t", "\r")
FACTS = (
    *("id", "status", "preset", "requested_by", "queued_at", "started_at", "finished_at"),
    *("attempt", "resumed_after_epoch", "test_accuracy", "calibration_error", "model", "in_service"),
    *("error_code", "error"),
)
LAST = ("loss", "accuracy", "val_loss", "val_accuracy", "objective")


def as_json(runs: QuerySet[TrainingRun]) -> str:
    """As GET /api/runs/<id>/ tells each of them."""
    return json.dumps(RunSerializer(runs, many=True).data, cls=DjangoJSONEncoder, indent=1)


def as_csv(runs: QuerySet[TrainingRun]) -> str:
    """A row for each run: its facts, its parameters, how many epochs it has and what the last one measured."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([*FACTS, *PARAMETERS, "epochs_done", *(f"last_{name}" for name in LAST)])
    for run in RunSerializer(runs, many=True).data:
        last = run["epochs"][-1] if run["epochs"] else {}
        values = [*(run[name] for name in FACTS), *(run["parameters"].get(name) for name in PARAMETERS)]
        writer.writerow(
            [harmless(value) for value in (*values, len(run["epochs"]), *(last.get(name) for name in LAST))]
        )
    return buffer.getvalue()


def harmless(value: Any) -> Any:
    """A text that a spreadsheet would run as a formula is marked as text (OWASP: CSV injection)."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
