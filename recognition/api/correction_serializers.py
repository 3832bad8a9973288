"""The JSON of corrections."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from recognition.api.serializers import BINARY, DATA_URL, DRAWING_REQUEST, PIXELS
from recognition.corrections.collecting import stored_levels
from recognition.corrections.labels import label_name
from recognition.imaging import encode_png, png_data_url
from recognition.models import NO_DIGIT, Correction

LABEL = {
    "type": ["integer", "null"],
    "minimum": 0,
    "maximum": 9,
    "description": "The digit that was drawn; null for a drawing that shows no digit.",
}
LABEL_TEXT = {"type": "string", "enum": [*map(str, range(10)), "null"]}
SOURCE = {"type": "string", "description": "`page`: sent by the drawing page. Anything else counts as `api`."}


def labelled(name: str, schema: dict[str, Any], label: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: schema, "label": label, "source": SOURCE},
        "required": [name, "label"],
    }


CORRECTION_REQUEST = {
    "application/json": {
        "anyOf": [labelled("drawing", DATA_URL, LABEL), labelled("pixels", PIXELS["properties"]["pixels"], LABEL)]
    },
    "multipart/form-data": labelled("drawing", BINARY, LABEL_TEXT),
    "image/*": DRAWING_REQUEST["image/*"],
}


class NullableLabel(serializers.IntegerField):
    """NO_DIGIT is null in JSON."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=9, allow_null=True, read_only=True, **kwargs)

    def get_attribute(self, instance: Any) -> Any:
        value = super().get_attribute(instance)
        return None if value == NO_DIGIT else value


class SentCorrectionSerializer(serializers.ModelSerializer[Correction]):
    """The answer to a correction; `undo` only when it is new."""

    label: Any = NullableLabel(help_text="Null: no digit.")  # shadows Field.label
    predicted = serializers.IntegerField(min_value=0, max_value=9, allow_null=True, read_only=True)
    model = serializers.IntegerField(source="model_id", min_value=1, allow_null=True, read_only=True)
    undo = serializers.CharField(
        required=False, read_only=True, help_text="Undoes a new correction within an hour: `DELETE` with `?undo=`."
    )

    class Meta:
        model = Correction
        fields = ("id", "state", "label", "predicted", "model", "undo")
        optional_fields = ("undo",)


class CorrectionSerializer(serializers.ModelSerializer[Correction]):
    """A correction as reviewers see it. The hash of the sender's address stays in the database."""

    label: Any = NullableLabel(help_text="Null: no digit.")  # shadows Field.label
    predicted = serializers.IntegerField(min_value=0, max_value=9, allow_null=True, read_only=True)
    confidence = serializers.FloatField(
        min_value=0, max_value=1, allow_null=True, read_only=True, help_text="Of the prediction, as a fraction."
    )
    model = serializers.IntegerField(source="model_id", min_value=1, allow_null=True, read_only=True)
    account = serializers.CharField(source="account.username", default=None, allow_null=True, read_only=True)
    decided_by = serializers.CharField(source="decided_by.username", default=None, allow_null=True, read_only=True)
    picture = serializers.SerializerMethodField(help_text="28x28, as a PNG data URL.")

    class Meta:
        model = Correction
        fields = (
            *("id", "state", "label", "predicted", "confidence", "uncertain", "model", "source", "account"),
            *("held_out", "created_at", "decided_by", "decided_at", "picture"),
        )

    @extend_schema_field({"type": "string", "pattern": "^data:image/png;base64,"})
    def get_picture(self, correction: Correction) -> str:
        return png_data_url(encode_png(stored_levels(correction.picture) / 255))


class LabelCountsSerializer(serializers.Serializer[Any]):
    """A count for "0" to "9", and for "none"."""

    def get_fields(self) -> dict[str, Any]:
        return {label_name(label): serializers.IntegerField(min_value=0) for label, _ in Correction.LABELS}


class CorrectionSummarySerializer(serializers.Serializer[Any]):
    accepted = LabelCountsSerializer()
    pending = LabelCountsSerializer()
    held_out = serializers.IntegerField(min_value=0, help_text="Accepted, and never trained on.")
    since_model = serializers.IntegerField(min_value=0, help_text="Accepted since the model in service was trained.")


class DeletedSerializer(serializers.Serializer[Any]):
    deleted = serializers.IntegerField(min_value=0, help_text="Corrections.")
