"""POST /api/drawing/, /api/number/ and /api/drawings/: predict what drawings show."""

import re
from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from digits_site.web.errors import InvalidParameter, RateLimited, unknown_choice
from digits_site.web.openapi.errors import raises
from recognition import errors
from recognition.api.answers.explanations import ExplainingPredictor
from recognition.api.answers.predictors import (
    DIGIT,
    NUMBER,
    PREDICTORS,
    DigitPredictor,
    Predictor,
    predict_batch,
    predict_one,
)
from recognition.api.examples import SEVEN, example
from recognition.api.parsing.drawings import (
    DrawingJSONParser,
    ImageParser,
    drawing_from,
    drawings_from,
    json_object,
    prepare,
)
from recognition.api.serializers import (
    DRAWING_REQUEST,
    DRAWINGS_REQUEST,
    AnswerSerializer,
    AnswersSerializer,
    NumberAnswerSerializer,
)
from recognition.api.throttles import DRAWINGS_PER_EXPLANATION, PredictThrottle
from recognition.imaging import EncodedImage
from recognition.prediction import classifier, kept_models
from recognition.prediction.classifier import Classifier

PREVIEW = OpenApiParameter(
    "preview",
    {"type": "string", "enum": ["1"]},
    description="`1`: add, for each digit, the 28x28 image that the network saw, and what was taken for the digit.",
)
MODEL = OpenApiParameter(
    "model",
    {"type": "integer", "minimum": 1, "maximum": 9_999_999_999},
    description="Predict by this model of `/api/models/` in place of the one in service. Its predictions are not "
    "counted in metrics and statistics.",
)
EXPLAIN = OpenApiParameter(
    "explain",
    {"type": "integer", "minimum": 0, "maximum": 9},
    description="Add what speaks for and against this digit, and a small change that makes the network predict it, or "
    f"another one if it does already. An address may send one for {DRAWINGS_PER_EXPLANATION} drawings. Not counted in "
    "metrics and statistics.",
)
DRAWING_ERRORS = (
    *(errors.InvalidType, errors.InvalidDataURL, errors.InvalidBase64, errors.EmptyImage, errors.UnsupportedImage),
    *(errors.CorruptImage, errors.ImageTooLarge, errors.ImageTooSmall, errors.BlankDrawing, errors.InvalidPixels),
)
PREDICTION_ERRORS = (
    *(errors.NotAnObject, InvalidParameter, RateLimited, errors.DecodingBusy),
    *(errors.ModelNotFound, errors.ModelUnavailable, errors.LoadingBusy),
)


def wants_previews(request: Request) -> bool:
    return request.query_params.get("preview") == "1"


def model_from(request: Request) -> Classifier:
    """Return the model that `?model=` names, else the one in service.

    Raises ValidationError, ModelNotFound, ModelUnavailable and LoadingBusy.
    """
    number = request.query_params.get("model")
    if number is None:
        return classifier.in_service()
    if not re.fullmatch("[1-9][0-9]{0,9}", number):
        raise ValidationError({"model": ["Must be the ID of a model."]})
    return kept_models.get(int(number))


def explained_from(request: Request) -> DigitPredictor:
    """Return the predictor of digits, one that explains if `?explain=` names a digit. Raises ValidationError."""
    digit = request.query_params.get("explain")
    if digit is None:
        return DIGIT
    if not re.fullmatch("[0-9]", digit):
        raise ValidationError({"explain": ["Must be a digit from 0 to 9."]})
    return ExplainingPredictor(int(digit))


def predictor_from(request: Request) -> Predictor[Any, Any]:
    """Return the predictor that `"as"` names in the JSON body. Raises InvalidParameter."""
    name = json_object(request).get("as", "digit")
    if not isinstance(name, str) or name not in PREDICTORS:
        raise unknown_choice("as", name, PREDICTORS, kind="kind of answer")
    return PREDICTORS[name]


class OpenView(APIView):
    """Base of the views that predict. Open to everybody in every mode; limited by PREDICT_RATE."""

    authentication_classes = ()
    throttle_classes = (PredictThrottle,) if settings.PREDICT_RATE else ()
    format_kwarg = None  # no URL here names a format

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Leave out what an open view has no use for: the account, permissions and versions."""
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        self.check_throttles(request)


class PredictView(OpenView):
    """Base of the views that predict one drawing."""

    parser_classes = (DrawingJSONParser, MultiPartParser, ImageParser)

    def predict(self, request: Request, predictor: Predictor[Any, Any]) -> Response:
        """Return the answer for the drawing in the request. Raises DRAWING_ERRORS and PREDICTION_ERRORS."""
        drawing = prepare(EncodedImage(drawing_from(request)), predictor.find)
        return Response(predict_one(model_from(request), drawing, predictor, previews=wants_previews(request)))


class DrawingView(PredictView):
    @extend_schema(
        operation_id="predictDrawing",
        tags=["drawings"],
        summary="Predict the digit of a drawing.",
        description="Dark ink on light, light on dark or on transparent; as base64, numbers, a file or a raw picture.",
        parameters=[PREVIEW, MODEL, EXPLAIN],
        request=DRAWING_REQUEST,
        responses=OpenApiResponse(AnswerSerializer, "The digit."),
        examples=example({"drawing": SEVEN}),
    )
    @raises(*PREDICTION_ERRORS, *DRAWING_ERRORS, errors.MissingDrawing)
    def post(self, request: Request) -> Response:
        return self.predict(request, explained_from(request))


class NumberView(PredictView):
    @extend_schema(
        operation_id="predictNumber",
        tags=["drawings"],
        summary=f"Predict a number: one line of 1 to {errors.MAX_DIGITS} digits.",
        description="Takes the same bodies as `/api/drawing/`. A single digit gets the same prediction.",
        parameters=[PREVIEW, MODEL],
        request=DRAWING_REQUEST,
        responses=OpenApiResponse(NumberAnswerSerializer, "The number and its digits."),
        examples=example({"drawing": SEVEN}),
    )
    @raises(*PREDICTION_ERRORS, *DRAWING_ERRORS, errors.MissingDrawing, errors.TooManyDigits)
    def post(self, request: Request) -> Response:
        return self.predict(request, NUMBER)


class DrawingsView(OpenView):
    """Predict up to MAX_DRAWINGS drawings: for each, in their order, its answer or its error."""

    parser_classes = (DrawingJSONParser,)

    def drawing_count(self, request: Request) -> int:
        return len(drawings_from(request))

    @extend_schema(
        operation_id="predictDrawings",
        tags=["drawings"],
        summary=f"Predict the digits or numbers of up to {errors.MAX_DRAWINGS} drawings.",
        parameters=[PREVIEW, MODEL],
        request=DRAWINGS_REQUEST,
        responses=OpenApiResponse(AnswersSerializer, "For each drawing its digit or number, or its error."),
        examples=example({"drawings": [SEVEN, SEVEN], "as": "digit"}),
    )
    @raises(*PREDICTION_ERRORS, errors.MissingDrawings, errors.TooManyDrawings)
    def post(self, request: Request) -> Response:
        drawings, predictor = drawings_from(request), predictor_from(request)
        model = model_from(request)
        results = list(predict_batch(model, drawings, predictor, previews=wants_previews(request)))
        return Response({"model": model.version, "results": results})
