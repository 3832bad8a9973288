"""What answers hold, where no serializer says it; and what serializers leave open."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction

from digits_site.openapi.errors import ERROR
from recognition.errors import MAX_DRAWINGS
from training.learner.presets import PRESETS
from training.models import Status
from training.parameters import PARAMETERS

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def closed(properties: Schema, optional: tuple[str, ...] = (), **more: Any) -> Schema:
    """An object with these keys and no others."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False, **more}


NUMBER: Schema = {"type": "integer", "minimum": 1}
FRACTION: Schema = {"type": "number", "minimum": 0, "maximum": 1}
DIGIT: Schema = {"type": "integer", "minimum": 0, "maximum": 9}
BINARY: Schema = {"type": "string", "format": "binary"}
DATA_URL: Schema = {
    "type": "string",
    "description": "A picture as a base64 data URL: PNG, JPEG or WebP, 8x8 to 4096x4096. Its bytes decide what it is.",
    "examples": ["data:image/png;base64,iVBORw0KGgo…"],
}
PNG_URL: Schema = {"type": "string", "pattern": "^data:image/png;base64,"}
CONFUSION: Schema = {
    "description": "10 rows of 10 counts: the true digit by row, what it was read as by column.",
    "type": ["array", "null"],
    "minItems": 10,
    "maxItems": 10,
    "items": {"type": "array", "minItems": 10, "maxItems": 10, "items": {"type": "integer", "minimum": 0}},
}
ANSWER = closed(
    {
        "prediction": DIGIT,
        "confidence": {"type": "number", "minimum": 0, "maximum": 100, "description": "Per cent."},
        "uncertain": {
            "type": "boolean",
            "description": "The answer should not be trusted: a letter, a scribble, two digits.",
        },
        "probabilities": {
            "type": "array",
            "minItems": 10,
            "maxItems": 10,
            "items": FRACTION,
            "description": "Of 0 to 9.",
        },
        "model": {**NUMBER, "description": "The model that answered."},
        "preview": {**PNG_URL, "description": "With `?preview=1`: the 28x28 picture that the network saw."},
    },
    optional=("preview",),
)
DRAWING_ERROR = closed({"code": {"type": "string"}, "message": {"type": "string"}, "detail": {"type": "string"}})
ANSWERS = closed(
    {
        "model": NUMBER,
        "results": {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_DRAWINGS,
            "items": {"anyOf": [ref("Answer"), DRAWING_ERROR]},
            "description": "In the order of the drawings: an answer, or what is wrong with that drawing.",
        },
    }
)
PROGRESS = closed(
    {
        "max_epochs": NUMBER,
        "percentage": {
            "type": "number",
            "minimum": 0,
            "maximum": 100,
            "description": "Of the present epoch's batches.",
        },
        "epoch": {**NUMBER, "description": "The last finished one; absent before."},
        "accuracy": {"type": "string", "pattern": r"^\d+\.\d\d$", "description": "Its training accuracy in per cent."},
    },
    optional=("max_epochs", "percentage", "epoch", "accuracy"),
    description="Of the active run; `{}` when there is none.",
)
PARAMETER_VALUES = closed(
    {
        "epochs": NUMBER,
        "batch_size": NUMBER,
        "learning_rate": {"type": "number", "exclusiveMinimum": 0},
        "samples": NUMBER,
        "seed": {"type": "integer", "minimum": 0},
        "activate": {"type": "boolean"},
    }
)
assert tuple(PARAMETER_VALUES["properties"]) == PARAMETERS, "a run's parameters have changed"
ESTIMATE = ("fixed_seconds", "seconds_per_sample", "seconds_per_sample_epoch")
PRESET = closed(
    {
        "name": {"enum": list(PRESETS)},
        "title": {"type": "string"},
        **dict.fromkeys(("epochs", "batch_size", "samples"), NUMBER),
        "learning_rate": {"type": "number", "exclusiveMinimum": 0},
        "estimate": {
            "oneOf": [{"type": "null"}, closed({part: {"type": "number", "minimum": 0} for part in ESTIMATE})],
            "description": (
                "Of a run with the preset's batch size: fixed seconds + samples * (seconds per sample + epochs * "
                "seconds per sample of an epoch). Null until a run of the preset has completed on this installation."
            ),
        },
    }
)
TEST_DIGIT = closed(
    {
        "index": {"type": "integer", "minimum": 0, "maximum": 9999, "description": "Its place in MNIST's test set."},
        "label": DIGIT,
        "predicted": DIGIT,
        "confidence": FRACTION,
        "picture": PNG_URL,
    }
)


def page(of: str) -> Schema:
    """A page of a list. drf-spectacular's own says `nullable`, which OpenAPI 3.1 does not know."""
    address: Schema = {"type": ["string", "null"], "format": "uri"}
    results: Schema = {"type": "array", "items": ref(of)}
    count: Schema = {"type": "integer", "minimum": 0, "description": "On all pages."}
    return closed({"count": count, "next": address, "previous": address, "results": results})


COMPONENTS: Schema = {
    "PaginatedModelList": page("Model"),
    "PaginatedRunSummaryList": page("RunSummary"),
    "Error": ERROR,
    "Answer": ANSWER,
    "Answers": ANSWERS,
    "Progress": PROGRESS,
    "Preset": PRESET,
    "TestDigit": TEST_DIGIT,
}


class Exact(OpenApiSerializerExtension):
    """A serializer's object has all of its keys and no others; `more` says what fields of plain JSON hold.

    `optional_keys` are those that only some answers have.
    """

    required = True
    more: Schema = {}
    optional_keys: Schema = {}

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> Schema:
        schema = super().map_serializer(auto_schema, direction)
        schema["properties"] |= self.more
        schema["additionalProperties"] = False
        if self.required:
            schema["required"] = list(schema["properties"])
        schema["properties"] |= self.optional_keys
        return schema


class ExactEpoch(Exact):
    target_class = "training.serializers.EpochSerializer"


class ExactRun(Exact):
    target_class = "training.serializers.RunSerializer"
    more = {
        "status": {"enum": Status.values},
        "parameters": PARAMETER_VALUES,
        "confusion": CONFUSION,
        "versions": {"type": "object", "additionalProperties": {"type": "string"}, "description": "Of the libraries."},
        "test_accuracy": {**FRACTION, "type": ["number", "null"]},
        "model": {"type": ["integer", "null"], "description": "The model that it published."},
    }


class ExactRunSummary(ExactRun):
    target_class = "training.serializers.RunSummarySerializer"
    more = {**ExactRun.more, "finished_epochs": {"type": "integer", "minimum": 0}}
    optional_keys = {"epochs": {"type": "array", "items": ref("Epoch"), "description": "With `?include=epochs`."}}


class ExactModel(Exact):
    target_class = "recognition.api.model_views.ModelSerializer"
    more = {
        "files": {
            **closed({"onnx": {"type": "string"}, "keras": {"type": "string"}}, optional=("keras",)),
            "description": "Where its files are.",
        },
        "test_accuracy": FRACTION,
    }


class ExactRunParameters(Exact):
    target_class = "training.serializers.RunParameters"
    required = False
    more = {
        "preset": {"enum": list(PRESETS), "default": "original", "description": "Whose values the others default to."}
    }


class ExactStopParameters(Exact):
    target_class = "training.serializers.StopParameters"
    required = False
