"""The OpenAPI components of answers that are built as plain dicts, and the event stream's operation."""

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from digits_site.web import errors
from digits_site.web.openapi.errors import error_responses
from recognition.api.serializers import ComparedSetSerializer, ComparisonSerializer
from training.learner.presets import PRESETS
from training.models import ACTIVE, NEVER_ACTIVE, Status

ENDINGS = [status for status in Status.values if status not in {*ACTIVE, *NEVER_ACTIVE}]
STATES = ["not_started", Status.IN_PROGRESS.value, *ENDINGS]

RunReference = inline_serializer(
    "RunReference", {"message": serializers.CharField(), "run": serializers.IntegerField(min_value=1)}
)
StartedRun = inline_serializer(
    "StartedRun",
    {
        "message": serializers.CharField(),
        "run": serializers.IntegerField(min_value=1),
        "queue_position": serializers.IntegerField(
            required=False, min_value=0, help_text="With `queue`: its place among the waiting runs; 0 if it starts now."
        ),
    },
)
NewestStatus = inline_serializer("NewestStatus", {"model_status": serializers.ChoiceField(STATES)})
TestAccuracy = inline_serializer(
    "TestAccuracy", {"accuracy": serializers.FloatField(min_value=0, max_value=1, allow_null=True)}
)


class ProgressSerializer(serializers.Serializer[Any]):
    max_epochs = serializers.IntegerField(required=False, min_value=1)
    percentage = serializers.FloatField(
        required=False, min_value=0, max_value=100, help_text="Of the current epoch's batches."
    )
    epoch = serializers.IntegerField(required=False, min_value=1, help_text="The last finished epoch.")
    accuracy = serializers.RegexField(
        r"^\d+\.\d\d$", required=False, help_text="Training accuracy of that epoch in per cent."
    )


class EstimateSerializer(serializers.Serializer[Any]):
    fixed_seconds = serializers.FloatField(min_value=0)
    seconds_per_sample = serializers.FloatField(min_value=0)
    seconds_per_sample_epoch = serializers.FloatField(min_value=0)


class PresetSerializer(serializers.Serializer[Any]):
    name = serializers.ChoiceField(list(PRESETS))
    title = serializers.CharField()
    epochs = serializers.IntegerField(min_value=1)
    batch_size = serializers.IntegerField(min_value=1)
    samples = serializers.IntegerField(min_value=1)
    validation_samples = serializers.IntegerField(source="held_back", min_value=0)
    learning_rate = serializers.FloatField(min_value=0)
    estimate = EstimateSerializer(
        allow_null=True,
        help_text="Of a run with the preset's batch size: fixed seconds + samples * (seconds per sample + epochs * "
        "seconds per sample and epoch). Null until a run of the preset has completed on this installation.",
    )


class PresetsSerializer(serializers.Serializer[Any]):
    results = PresetSerializer(many=True)


class TestDigitSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField(min_value=0, max_value=9999, help_text="Its position in MNIST's test set.")
    label: Any = serializers.IntegerField(min_value=0, max_value=9)  # shadows Field.label
    predicted = serializers.IntegerField(min_value=0, max_value=9)
    confidence = serializers.FloatField(min_value=0, max_value=1)
    picture = serializers.RegexField("^data:image/png;base64,")


class ComparedPictureSerializer(serializers.Serializer[Any]):
    """A picture that one of two models predicted correctly. Label 10 is no digit, which a model should be unsure of."""

    index = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=9999,
        help_text="Its position in MNIST's test set, if it is a test digit.",
    )
    correction = serializers.IntegerField(required=False, min_value=1, help_text="The correction, if it is one.")
    label: Any = serializers.IntegerField(min_value=0, max_value=10)  # shadows Field.label
    champion = serializers.IntegerField(min_value=0, max_value=9, help_text="What the champion predicted.")
    champion_confidence = serializers.FloatField(min_value=0, max_value=1)
    challenger = serializers.IntegerField(min_value=0, max_value=9, help_text="What the challenger predicted.")
    challenger_confidence = serializers.FloatField(min_value=0, max_value=1)
    picture = serializers.RegexField("^data:image/png;base64,")


class IllustratedSetSerializer(ComparedSetSerializer):
    fixed_examples = ComparedPictureSerializer(many=True)
    broken_examples = ComparedPictureSerializer(many=True)


class IllustratedComparisonSerializer(ComparisonSerializer):
    sets = IllustratedSetSerializer(many=True)


class TestDigitsSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField(min_value=0, help_text="Of all matching digits.")
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = TestDigitSerializer(many=True)


CLOSE = {
    "type": "object",
    "properties": {"event": {"const": "close"}, "reason": {"enum": ENDINGS}, "run": {"type": "integer"}},
    "required": ["event", "reason"],
}
STREAM_ERRORS = (
    *(errors.BadHost, errors.BadRequest, errors.BadOrigin, errors.NotLocal, errors.ProxiedRequest),
    *(errors.TooManyStreams, errors.AllStreamsTaken, errors.NoStreams, errors.DatabaseUnavailable),
)


def add_event_stream(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add GET /api/progress/, which is no REST framework view (a postprocessing hook of drf-spectacular)."""
    message = {"type": "string", "x-data": {"anyOf": [{"$ref": "#/components/schemas/Progress"}, CLOSE]}}
    events = {"description": "Server-sent events.", "content": {"text/event-stream": {"schema": message}}}
    operation = {
        "operationId": "streamProgress",
        "summary": "Stream the progress of the active run, until it ends.",
        "description": 'Each `data:` is a `Progress`, at least once a second; the last one is `{"event": "close", …}`. '
        "If no run is active, the last one comes at once; a client that sends its `id:` as `Last-Event-ID` gets 204.",
        "tags": ["training"],
        "responses": {
            "200": events,
            "204": {"description": "The client has seen the end."},
            **error_responses(STREAM_ERRORS),
        },
    }
    result["paths"] = dict(sorted({**result["paths"], reverse("progress"): {"get": operation}}.items()))
    return result
