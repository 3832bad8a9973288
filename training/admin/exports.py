"""Export runs as CSV, one row each, or as JSON with their epochs."""

import csv
import io
import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet

from training.models import TrainingRun
from training.serializers import RunSerializer, TrainingParametersSerializer

MAX_RUNS = 1000  # in one file
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
FIELDS = (
    *(
        "id",
        "name",
        "tags",
        "notes",
        "baseline",
        "status",
        "preset",
        "requested_by",
        "queued_at",
        "started_at",
        "finished_at",
    ),
    *("attempt", "resumed_after_epoch", "test_accuracy", "calibration_error", "model", "in_service"),
    *("stopped_by", "stopped_via", "error_code", "error", "base", "not_activated", "continues"),
)
LAST_EPOCH = ("loss", "accuracy", "val_loss", "val_accuracy", "objective")


def as_json(runs: QuerySet[TrainingRun]) -> str:
    """Return the runs as GET /api/runs/<id>/ shows them."""
    return json.dumps(RunSerializer(runs, many=True).data, cls=DjangoJSONEncoder, indent=1)


def as_csv(runs: QuerySet[TrainingRun]) -> str:
    """Return one row for each run: its fields and parameters, its number of epochs and the last one's measures."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    parameters = TrainingParametersSerializer().fields
    writer.writerow([*FIELDS, *parameters, "epochs_done", *(f"last_{name}" for name in LAST_EPOCH)])
    for run in RunSerializer(runs, many=True).data:
        last = run["epochs"][-1] if run["epochs"] else {}
        run["tags"] = " ".join(run["tags"])
        values = [*(run[name] for name in FIELDS), *run["parameters"].values(), len(run["epochs"])]
        writer.writerow(escape_formula(value) for value in (*values, *(last.get(name) for name in LAST_EPOCH)))
    return buffer.getvalue()


def escape_formula(value: Any) -> Any:
    """Prefix text that a spreadsheet would run as a formula (OWASP: CSV injection)."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
