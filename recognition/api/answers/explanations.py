"""What `?explain=7` adds to an answer: what speaks for and against that digit, and a small change to another answer."""

from typing import Any

from recognition.api.answers.predictors import Answer, DigitPredictor
from recognition.api.parsing.decode_slots import explanation_slot
from recognition.api.parsing.drawings import Drawing
from recognition.imaging import Candidate, encode_png, png_data_url
from recognition.prediction.classifier import Classifier
from recognition.prediction.digits import Prediction
from recognition.prediction.explanation import Change, explain


class ExplainingPredictor(DigitPredictor):
    """Predicts one digit and explains it. Its answers are not counted: they are about drawings predicted before."""

    def __init__(self, digit: int) -> None:
        self.digit = digit

    def count(self, model: Classifier, prediction: Prediction) -> None:
        pass

    def answer(
        self, model: Classifier, drawing: Drawing[Any], prediction: Prediction, *, previews: bool = False
    ) -> Answer:
        """Return the JSON of a prediction, explained. Raises DecodingBusy."""
        answer = super().answer(model, drawing, prediction, previews=previews)
        candidate = prediction.candidate
        assert isinstance(candidate, Candidate)  # a Segment is of a number
        with explanation_slot():
            explanation = explain(model, candidate.digit, self.digit)
        answer["explanation"] = {
            "digit": self.digit,
            "method": "occlusion",
            "evidence": [[round(value, 2) for value in row] for row in explanation.evidence.tolist()],
            "field": drawing.field(candidate),
            "change": explanation.change and serialize_change(explanation.change),
        }
        return answer


def serialize_change(change: Change) -> Answer:
    return {
        "prediction": change.digit,
        "pixels": change.pixels,
        "picture": png_data_url(encode_png(change.picture)),
    }
