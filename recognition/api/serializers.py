"""The JSON of answers and models. The answers' serializers only describe: building plain dicts saves 0.25 ms."""

from typing import Any, get_args

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from digits_site.web.openapi.errors import ErrorSerializer
from recognition import registry
from recognition.api.examples import SEVEN
from recognition.comparison import TITLES, Outcome
from recognition.errors import MAX_DIGITS, MAX_DRAWINGS, MAX_SIDE, MIN_SIDE, PICTURE_FORMATS
from recognition.models import ModelVersion
from recognition.prediction.digits import UNCERTAIN_REASONS

MODEL_FILES = {"onnx": "file", "keras": "keras_file"}  # the field of each kind

BINARY = {"type": "string", "format": "binary"}
DATA_URL = {
    "type": "string",
    "description": f"A picture in base64, with or without a data URL prefix: {PICTURE_FORMATS}, "
    f"{MIN_SIDE}x{MIN_SIDE} to {MAX_SIDE}x{MAX_SIDE} pixels. Its bytes decide the format.",
    "examples": [SEVEN],
}


def array(items: dict[str, Any], size: int) -> dict[str, Any]:
    return {"type": "array", "minItems": size, "maxItems": size, "items": items}


def request_body(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {name: schema}, "required": [name]}


LEVEL = {"type": "number", "minimum": 0, "maximum": 255}
PIXELS = request_body(
    "pixels",
    {
        "description": "28x28 grey levels, row by row: from 0 to 255 if one is above 1, else from 0 to 1.",
        "anyOf": [array(LEVEL, 784), array(array(LEVEL, 28), 28)],
    },
)
DRAWINGS = {"type": "array", "minItems": 1, "maxItems": MAX_DRAWINGS, "items": {"anyOf": [DATA_URL, PIXELS]}}

DRAWING_REQUEST = {
    "application/json": {"anyOf": [request_body("drawing", DATA_URL), PIXELS]},
    "multipart/form-data": request_body("drawing", BINARY),
    "image/*": BINARY,
}
DRAWINGS_REQUEST = {
    "application/json": {
        "type": "object",
        "properties": {
            "drawings": DRAWINGS,
            "as": {
                "type": "string",
                "enum": ["digit", "number"],
                "default": "digit",
                "description": "Predict one digit in each drawing, or a line of digits.",
            },
        },
        "required": ["drawings"],
    }
}


class BoxField(serializers.ListField):
    def __init__(self) -> None:
        super().__init__(
            child=serializers.IntegerField(min_value=0),
            min_length=4,
            max_length=4,
            help_text="Left, top, width and height of the digit in the picture's pixels, after EXIF rotation.",
        )


class SegmentationSerializer(serializers.Serializer[Any]):
    box = BoxField()
    mask = serializers.RegexField(
        "^data:image/png;base64,", help_text="The whole picture as a small grey PNG, 255 where the digit's ink is."
    )


class DigitSerializer(serializers.Serializer[Any]):
    prediction = serializers.IntegerField(min_value=0, max_value=9)
    confidence = serializers.FloatField(min_value=0, max_value=100, help_text="Per cent.")
    uncertain = serializers.BooleanField(help_text="Whether to distrust the answer; `uncertain_reason` says why.")
    uncertain_reason = serializers.ChoiceField(
        UNCERTAIN_REASONS, allow_null=True, help_text="Null for a certain answer."
    )
    probabilities = serializers.ListField(
        child=serializers.FloatField(min_value=0, max_value=1), min_length=10, max_length=10, help_text="Of 0 to 9."
    )
    preview = serializers.RegexField(
        "^data:image/png;base64,", required=False, help_text="With `?preview=1`: the 28x28 image that the network saw."
    )
    segmentation = SegmentationSerializer(
        required=False, help_text="With `?preview=1`: what was taken for the digit. The rest was left out."
    )


class ChangeSerializer(serializers.Serializer[Any]):
    prediction = serializers.IntegerField(min_value=0, max_value=9, help_text="What the model reads after the change.")
    pixels = serializers.IntegerField(min_value=1, max_value=784, help_text="How many of the 28x28 pixels differ.")
    picture = serializers.RegexField(
        "^data:image/png;base64,", help_text="The changed 28x28 image. Sent as a drawing, it gets that prediction."
    )


class ExplanationSerializer(serializers.Serializer[Any]):
    """What the model's answer depends on. It is no reason that a person would give, nor evidence that it is right."""

    digit = serializers.IntegerField(min_value=0, max_value=9, help_text="The digit that was asked about.")
    method = serializers.ChoiceField(["occlusion"])
    evidence = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=28, max_length=28),
        min_length=28,
        max_length=28,
        help_text="By row and column of the 28x28 image: how far the digit's logit, less the mean of all ten, falls "
        "when ink here is erased, or paper inked. Positive speaks for the digit, negative against it.",
    )
    field = serializers.ListField(
        child=serializers.FloatField(),
        min_length=4,
        max_length=4,
        help_text="Left, top, width and height of the 28x28 image in the picture's pixels; it may reach beyond.",
    )
    change = ChangeSerializer(allow_null=True, help_text="A small change; null if none was found.")


class AnswerSerializer(DigitSerializer):
    model = serializers.IntegerField(min_value=1, help_text="The model that answered.")
    explanation = ExplanationSerializer(required=False, help_text="With `?explain=`.")


class NumberDigitSerializer(DigitSerializer):
    box = BoxField()


class NumberAnswerSerializer(serializers.Serializer[Any]):
    number = serializers.RegexField("^[0-9]+$", max_length=MAX_DIGITS, help_text="The digits, from left to right.")
    confidence = serializers.FloatField(min_value=0, max_value=100, help_text="Of the whole number, in per cent.")
    uncertain = serializers.BooleanField(help_text="Whether to distrust the answer; `uncertain_reason` says why.")
    uncertain_reason = serializers.ChoiceField(
        UNCERTAIN_REASONS, allow_null=True, help_text="Null for a certain answer."
    )
    model = serializers.IntegerField(min_value=1, help_text="The model that answered.")
    digits = serializers.ListField(
        child=NumberDigitSerializer(), min_length=1, max_length=MAX_DIGITS, help_text="From left to right."
    )


class AnswersSerializer(serializers.Serializer[Any]):
    model = serializers.IntegerField(min_value=1)
    results = serializers.ListField(
        child=PolymorphicProxySerializer(
            "DrawingResult", [AnswerSerializer, NumberAnswerSerializer, ErrorSerializer], None
        ),
        min_length=1,
        max_length=MAX_DRAWINGS,
        help_text="In the order of the drawings: an answer, or the error of that drawing.",
    )


class ModelFilesSerializer(serializers.Serializer[Any]):
    onnx = serializers.CharField()
    keras = serializers.CharField(required=False)


class ComparedSetSerializer(serializers.Serializer[Any]):
    """How two models predicted one set of pictures. `fixed` and `broken` are where one of them alone is right."""

    name = serializers.ChoiceField(list(TITLES))
    count = serializers.IntegerField(min_value=0)
    both_right = serializers.IntegerField(min_value=0)
    fixed = serializers.IntegerField(min_value=0, help_text="The challenger alone is right.")
    broken = serializers.IntegerField(min_value=0, help_text="The champion alone is right.")
    both_wrong = serializers.IntegerField(min_value=0)
    p = serializers.FloatField(min_value=0, max_value=1, help_text="Of the exact McNemar test, two-sided.")
    outcome = serializers.ChoiceField(
        get_args(Outcome), help_text="Whether the challenger is significantly better or worse, or neither."
    )


class ComparisonSerializer(serializers.Serializer[Any]):
    champion = serializers.IntegerField(min_value=1, help_text="The model that was in service.")
    challenger = serializers.IntegerField(min_value=1, help_text="The model to replace it with.")
    objections = serializers.ListField(
        child=serializers.CharField(),
        help_text="Reasons not to put the challenger into service; empty if there are none.",
    )
    sets = ComparedSetSerializer(many=True)


class ActivationParameters(serializers.Serializer[Any]):
    reason = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=500,
        help_text="Why to activate it although it did worse in the comparison with the model in service.",
    )


class ModelSerializer(serializers.ModelSerializer[ModelVersion]):
    """A model. The queryset is ModelViewSet's, with its annotations."""

    in_service = serializers.BooleanField(read_only=True)
    run = serializers.IntegerField(
        read_only=True,
        min_value=1,
        allow_null=True,
        help_text="The run that trained it; null if it was not trained here.",
    )
    comparison = serializers.SerializerMethodField(
        help_text="The latest comparison with a model that was in service; null without one."
    )
    files = serializers.SerializerMethodField(help_text="The addresses of its files.")

    class Meta:
        model = ModelVersion
        fields = (
            *("id", "name", "origin", "sha256", "size"),
            *("test_accuracy", "temperature", "uncertain_below", "created_at"),
            *("in_service", "parent", "run", "comparison", "files"),
        )
        extra_kwargs = {
            "test_accuracy": {"min_value": 0, "max_value": 1},
            "name": {"help_text": "Empty for a model that a run trained."},
            "origin": {"help_text": "`run`: a run trained it. `file`: it was published from a file by command."},
        }

    @extend_schema_field(ComparisonSerializer(allow_null=True))
    def get_comparison(self, model: ModelVersion) -> dict[str, Any] | None:
        return next(map(registry.summarize, model.comparisons.all()), None)

    @extend_schema_field(ModelFilesSerializer)
    def get_files(self, model: ModelVersion) -> dict[str, str]:
        kinds = (kind for kind, field in MODEL_FILES.items() if getattr(model, field))
        return {kind: reverse(f"model-{kind}", args=[model.pk]) for kind in kinds}
