"""Starting and stopping, the run that is active, and the history."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiResponse

from digits_site.openapi.components import FRACTION, NUMBER, closed, ref
from digits_site.openapi.describing import describe, operation, query
from digits_site.openapi.errors import FOR_SOME, KNOWS_CALLERS, TAKES_A_BODY
from training.api.history import INCLUDABLE, ORDERINGS, DigitsQuery
from training.models import Status
from training.serializers import RunParameters, RunSerializer, RunSummarySerializer, StopParameters

STARTED = closed({"message": {"type": "string"}, "run": NUMBER})
CHANGES = (*TAKES_A_BODY, "invalid_parameter", *FOR_SOME)

describe(
    "training.api.views.StartView",
    post=operation(
        "retrainModel",
        tag="training",
        summary="Start a run; without a body, the default one.",
        request={"application/json": RunParameters},
        answers={202: OpenApiResponse(STARTED, "The run is queued.")},
        refused=(*CHANGES, "run_active", "cool_down", "queue_unavailable"),
    ),
)
describe(
    "training.api.views.StopView",
    post=operation(
        "stopTraining",
        tag="training",
        summary="Stop the active run, or, when one is named, that run or nothing.",
        # A beacon may carry a form's Content-Type.
        request=dict.fromkeys(
            ("application/json", "application/x-www-form-urlencoded", "multipart/form-data"), StopParameters
        ),
        answers=OpenApiResponse(STARTED, "It stops at its next batch; asking again changes nothing."),
        refused=(*CHANGES, "not_in_progress", "run_mismatch"),
    ),
)
describe(
    "training.api.views.StatusView",
    get=operation(
        "checkModelStatus",
        tag="training",
        summary="The state of the newest run; a queued one counts as in progress.",
        answers=closed({"model_status": {"enum": ["not_started", *(s for s in Status.values if s != Status.QUEUED)]}}),
        refused=KNOWS_CALLERS,
    ),
)
describe(
    "training.api.views.ProgressView",
    get=operation(
        "getTrainingProgress",
        tag="training",
        summary="How far the active run is.",
        answers=ref("Progress"),
        refused=KNOWS_CALLERS,
    ),
)
describe(
    "training.api.views.AccuracyView",
    get=operation(
        "getModelAccuracy",
        tag="training",
        summary="Test accuracy of the newest completed run, else of the model in service.",
        answers=closed({"accuracy": {**FRACTION, "type": ["number", "null"]}}),
        refused=KNOWS_CALLERS,
    ),
)
describe(
    "training.api.views.PresetsView",
    get=operation(
        "listPresets",
        tag="training",
        summary="What each preset would do, and how long it takes here.",
        answers=closed({"results": {"type": "array", "items": ref("Preset")}}),
        refused=KNOWS_CALLERS,
    ),
)
describe(
    "training.api.history.RunViewSet",
    list=operation(
        "listRuns",
        tag="runs",
        summary="Every run, newest first.",
        parameters=[
            query("status", {"type": "string", "enum": Status.values}, "Only runs in this state."),
            query(
                "ordering",
                {"enum": [f"{sign}{by}" for by in ORDERINGS for sign in ("", "-")]},
                "`-`: from the largest.",
            ),
            query("include", {"type": "string", "enum": list(INCLUDABLE)}, "`epochs`: each run with its epochs."),
        ],
        answers=RunSummarySerializer(many=True),
        refused=("invalid_parameter", "not_found", *KNOWS_CALLERS),
    ),
    retrieve=operation(
        "getRun", tag="runs", summary="One run.", answers=RunSerializer, refused=("not_found", *KNOWS_CALLERS)
    ),
    digits=operation(
        "listRunDigits",
        tag="runs",
        summary="The test digits it misread, or those of one cell of its confusion matrix, the surest first.",
        parameters=[DigitsQuery],
        answers=closed(
            {"count": {"type": "integer", "minimum": 0}, "results": {"type": "array", "items": ref("TestDigit")}}
        ),
        refused=("invalid_parameter", "not_found", "no_predictions", "digits_unavailable", *KNOWS_CALLERS),
    ),
)
