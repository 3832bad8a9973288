"""POST /api/drawing/ and /api/drawings/: a drawing in, a digit out; many in, as many out."""

import base64
from typing import Any

from django.conf import settings
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recognition import classifier, metrics
from recognition.api.parsers import PictureParser
from recognition.api.preparation import prepare, prepare_all
from recognition.api.serializers import drawing_from, drawings_from
from recognition.api.throttles import PredictThrottle
from recognition.classifier import Classifier
from recognition.imaging import preprocessing
from recognition.imaging.preprocessing import Grid


def read(model: Classifier, digits: list[Grid], preview: bool) -> list[dict[str, Any]]:
    """What `model` makes of prepared digits, as the API says it; `preview` adds the picture that the network saw."""
    with metrics.stage("network", times=len(digits)):
        rows = model.probabilities(digits).tolist()
    return [answer(model, digit, row, preview) for digit, row in zip(digits, rows, strict=True)]


def answer(model: Classifier, digit: Grid, probabilities: list[float], preview: bool) -> dict[str, Any]:
    best = max(range(10), key=probabilities.__getitem__)
    metrics.answered(probabilities[best])
    said = {
        "prediction": best,
        "confidence": round(probabilities[best] * 100, 2),
        "uncertain": probabilities[best] < model.uncertain_below,
        "probabilities": probabilities,
        "model": model.version,
    }
    if preview:
        said["preview"] = f"data:image/png;base64,{base64.b64encode(preprocessing.encode_png(digit)).decode()}"
    return said


def wants_preview(request: Request) -> bool:
    return request.query_params.get("preview") == "1"


class DrawingView(APIView):
    """Open to everybody in every mode; limited by PREDICT_RATE."""

    authentication_classes = ()
    parser_classes = [*APIView.parser_classes, MultiPartParser, PictureParser]
    throttle_classes = (PredictThrottle,) if settings.PREDICT_RATE else ()

    def post(self, request: Request) -> Response:
        digit = prepare(drawing_from(request))
        return Response(read(classifier.in_service(), [digit], wants_preview(request))[0])


class DrawingsView(APIView):
    """Up to 256 drawings: for each, in their order, its answer or what is wrong with it."""

    authentication_classes = ()
    throttle_classes = DrawingView.throttle_classes

    def drawing_count(self, request: Request) -> int:
        return len(drawings_from(request))

    def post(self, request: Request) -> Response:
        prepared = prepare_all(drawings_from(request))
        model = classifier.in_service()
        answers = iter(read(model, [one for one in prepared if not isinstance(one, dict)], wants_preview(request)))
        results = [one if isinstance(one, dict) else next(answers) for one in prepared]
        return Response({"model": model.version, "results": results})
