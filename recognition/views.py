"""POST /api/drawing/: a drawing in, a digit out."""

import base64

from django.conf import settings
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recognition import classifier, metrics, preprocessing
from recognition.decoding import read_image
from recognition.parsers import PictureParser
from recognition.serializers import drawing_from
from recognition.throttling import PredictThrottle


class DrawingView(APIView):
    """Open to everybody in every mode; limited by PREDICT_RATE."""

    authentication_classes = ()
    parser_classes = [*APIView.parser_classes, MultiPartParser, PictureParser]
    throttle_classes = (PredictThrottle,) if settings.PREDICT_RATE else ()

    def post(self, request: Request) -> Response:
        with metrics.stage("decode"):
            image = read_image(drawing_from(request))
        with metrics.stage("prepare"):
            digit = preprocessing.prepare_image(image)
        model = classifier.in_service()
        with metrics.stage("network"):
            probabilities = model.probabilities(digit[None])[0].tolist()
        best = max(range(10), key=probabilities.__getitem__)
        metrics.answered(probabilities[best])
        answer = {
            "prediction": best,
            "confidence": round(probabilities[best] * 100, 2),
            "uncertain": probabilities[best] < model.uncertain_below,
            "probabilities": probabilities,
            "model": model.version,
        }
        if request.query_params.get("preview") == "1":
            picture = base64.b64encode(preprocessing.encode_png(digit)).decode()
            answer["preview"] = f"data:image/png;base64,{picture}"
        return Response(answer)
