"""Drawings and models."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiResponse

from digits_site.openapi.components import BINARY, DATA_URL, ref
from digits_site.openapi.describing import Decorator, describe, operation, query
from digits_site.openapi.errors import FOR_SOME, KNOWS_CALLERS, TAKES_A_BODY
from recognition.api.model_views import ModelSerializer
from recognition.errors import MAX_DRAWINGS

PREVIEW = query(
    "preview", {"type": "string", "enum": ["1"]}, "`1`: the answer holds the 28x28 picture that the network saw."
)
READS = (*TAKES_A_BODY, "not_an_object", "rate_limited", "busy", "model_unavailable")
PICTURE = ("empty_image", "corrupt_image", "image_too_small", "image_too_large", "unsupported_image", "blank_drawing")

describe(
    "recognition.api.views.DrawingView",
    post=operation(
        "readDrawing",
        tag="drawings",
        summary="A drawing in, a digit out.",
        description="Ink on paper, chalk on a board or ink on transparent; as a data URL, a file or the raw picture.",
        parameters=[PREVIEW],
        request={
            "application/json": {"type": "object", "properties": {"drawing": DATA_URL}, "required": ["drawing"]},
            "multipart/form-data": {"type": "object", "properties": {"drawing": BINARY}, "required": ["drawing"]},
            "image/*": BINARY,
        },
        answers=OpenApiResponse(ref("Answer"), "The digit."),
        refused=(*READS, *PICTURE, "missing_drawing", "invalid_type", "invalid_data_url", "invalid_base64"),
    ),
)
describe(
    "recognition.api.views.DrawingsView",
    post=operation(
        "readDrawings",
        tag="drawings",
        summary=f"Up to {MAX_DRAWINGS} drawings in, as many answers out.",
        parameters=[PREVIEW],
        request={
            "application/json": {
                "type": "object",
                "properties": {
                    "drawings": {"type": "array", "minItems": 1, "maxItems": MAX_DRAWINGS, "items": DATA_URL}
                },
                "required": ["drawings"],
            }
        },
        answers=OpenApiResponse(ref("Answers"), "For each drawing its digit, or what is wrong with it."),
        refused=(*READS, "missing_drawings", "too_many_drawings"),
    ),
)


def file(name: str, summary: str, *refused: str) -> Decorator:
    return operation(
        name,
        tag="models",
        summary=summary,
        description="The `ETag` holds the model's SHA-256: `If-None-Match` gets 304 until the file is another.",
        answers={
            (200, "application/octet-stream"): OpenApiResponse(BINARY, "The bytes."),
            304: OpenApiResponse(None, "What the client has is still right."),
        },
        refused=("not_found", "no_file", *KNOWS_CALLERS, *refused),
    )


describe(
    "recognition.api.model_views.ModelViewSet",
    list=operation(
        "listModels",
        tag="models",
        summary="Every model, newest first.",
        answers=ModelSerializer(many=True),
        refused=("not_found", *KNOWS_CALLERS),
    ),
    retrieve=operation(
        "getModel",
        tag="models",
        summary="One model.",
        answers=ModelSerializer,
        refused=("not_found", *KNOWS_CALLERS),
    ),
    onnx=file("getModelONNX", "Its ONNX file.", "storage_unavailable"),
    keras=file("getModelKeras", "Its Keras file, without the optimizer.", "storage_unavailable"),
    filters=file(
        "getModelFilters",
        "Its two convolutions, weights and biases: little-endian float32, w1 [32, 1, 5, 5], b1, w2 [64, 32, 5, 5], b2.",
        "model_rejected",
    ),
    activate=operation(
        "activateModel",
        tag="models",
        summary="Put a model into service; again changes nothing.",
        description="Needs the permission to add an activation, in every mode.",
        request=None,
        answers=ModelSerializer,
        refused=("not_found", "model_rejected", "bad_origin", "payload_too_large", *KNOWS_CALLERS, *FOR_SOME),
    ),
)
