"""POST /api/drawing/ and /api/drawings/: predict the digits of drawings."""

from time import perf_counter
from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from digits_site.web.errors import RateLimited
from digits_site.web.openapi.errors import raises
from recognition import classifier, errors, metrics, statistics
from recognition.api.drawings import (
    Drawing,
    DrawingJSONParser,
    ImageParser,
    drawing_from,
    drawings_from,
    prepare,
    prepare_batch,
)
from recognition.api.previews import preview
from recognition.api.serializers import DRAWING_REQUEST, DRAWINGS_REQUEST, AnswerSerializer, AnswersSerializer
from recognition.api.throttles import PredictThrottle
from recognition.classifier import Classifier
from recognition.imaging import EncodedImage
from recognition.prediction import Prediction, predict_candidates

PREVIEW = OpenApiParameter(
    "preview",
    {"type": "string", "enum": ["1"]},
    description="`1`: add the 28x28 image that the network saw, and what was taken for the digit.",
)
DRAWING_ERRORS = (
    *(errors.InvalidType, errors.InvalidDataURL, errors.InvalidBase64, errors.EmptyImage, errors.UnsupportedImage),
    *(errors.CorruptImage, errors.ImageTooLarge, errors.ImageTooSmall, errors.BlankDrawing, errors.InvalidPixels),
)
PREDICTION_ERRORS = (errors.NotAnObject, RateLimited, errors.DecodingBusy, errors.ModelUnavailable)


def predict(request: Request, model: Classifier, drawings: list[Drawing]) -> list[dict[str, Any]]:
    """Return the model's answer for each drawing; with `?preview=1`, also what the network saw."""
    began = perf_counter()
    predictions = predict_candidates(model, [drawing.candidates for drawing in drawings])
    seconds = (perf_counter() - began) / max(len(predictions), 1)
    answers = [answer(model, prediction, seconds) for prediction in predictions]
    if request.query_params.get("preview") == "1":
        for one, drawing, prediction in zip(answers, drawings, predictions, strict=True):
            one.update(preview(drawing, prediction.candidate))
    return answers


def answer(model: Classifier, prediction: Prediction, seconds: float) -> dict[str, Any]:
    """Return one drawing's answer, and count it."""
    digit, confidence, uncertain = prediction.digit, prediction.confidence, bool(prediction.uncertain_reason)
    metrics.network.observe(seconds)
    metrics.confidence.observe(confidence)
    metrics.predictions[digit, uncertain].inc()
    statistics.count(model.version, digit, confidence, uncertain)
    return {
        "prediction": digit,
        "confidence": round(confidence * 100, 2),
        "uncertain": uncertain,
        "uncertain_reason": prediction.uncertain_reason or None,
        "probabilities": prediction.probabilities,
        "model": model.version,
    }


class DrawingView(APIView):
    """Predict one drawing. Open to everybody in every mode; limited by PREDICT_RATE."""

    authentication_classes = ()
    parser_classes = (DrawingJSONParser, MultiPartParser, ImageParser)
    throttle_classes = (PredictThrottle,) if settings.PREDICT_RATE else ()

    @extend_schema(
        operation_id="predictDrawing",
        tags=["drawings"],
        summary="Predict the digit of a drawing.",
        description="Dark ink on light, light on dark or on transparent; as base64, numbers, a file or a raw picture.",
        parameters=[PREVIEW],
        request=DRAWING_REQUEST,
        responses=OpenApiResponse(AnswerSerializer, "The digit."),
    )
    @raises(*PREDICTION_ERRORS, *DRAWING_ERRORS, errors.MissingDrawing)
    def post(self, request: Request) -> Response:
        drawing = prepare(EncodedImage(drawing_from(request)))
        return Response(predict(request, classifier.in_service(), [drawing])[0])


class DrawingsView(APIView):
    """Predict up to MAX_DRAWINGS drawings: for each, in their order, its answer or its error."""

    authentication_classes = ()
    parser_classes = (DrawingJSONParser,)
    throttle_classes = DrawingView.throttle_classes

    def drawing_count(self, request: Request) -> int:
        return len(drawings_from(request))

    @extend_schema(
        operation_id="predictDrawings",
        tags=["drawings"],
        summary=f"Predict the digits of up to {errors.MAX_DRAWINGS} drawings.",
        parameters=[PREVIEW],
        request=DRAWINGS_REQUEST,
        responses=OpenApiResponse(AnswersSerializer, "For each drawing its digit, or its error."),
    )
    @raises(*PREDICTION_ERRORS, errors.MissingDrawings, errors.TooManyDrawings)
    def post(self, request: Request) -> Response:
        prepared = prepare_batch(drawings_from(request))
        model = classifier.in_service()
        answers = iter(predict(request, model, [one for one in prepared if not isinstance(one, dict)]))
        results = [one if isinstance(one, dict) else next(answers) for one in prepared]
        return Response({"model": model.version, "results": results})
