"""Predict what drawings show, one digit or a number each, and build the answers."""

from collections.abc import Iterator, Sequence
from itertools import islice
from time import perf_counter
from typing import Any, Protocol, TypeVar

from PIL import Image

from recognition import metrics, statistics
from recognition.api.drawings import Drawing, prepare_batch
from recognition.api.previews import preview
from recognition.classifier import BATCH_SIZE, Classifier
from recognition.imaging import Candidate, NumberDrawing, find_candidates, find_number
from recognition.number_prediction import NumberPrediction, predict_numbers
from recognition.prediction import Prediction, predict_candidates

Found = TypeVar("Found")
Answer = dict[str, Any]


class Predictor(Protocol[Found]):
    """Finds one kind of thing in images, predicts it and builds its answers."""

    def find(self, image: Image.Image) -> Found:
        """Return what the network is to see of an image. Raises the RecognitionError that fits."""
        ...

    def answers(self, model: Classifier, drawings: Sequence[Drawing[Found]], *, previews: bool) -> list[Answer]:
        """Return the model's answer for each drawing, and count it. With `previews`, add what the network saw."""
        ...


class DigitPredictor:
    """Predicts one digit in a drawing."""

    def find(self, image: Image.Image) -> list[Candidate]:
        return find_candidates(image)

    def answers(
        self, model: Classifier, drawings: Sequence[Drawing[list[Candidate]]], *, previews: bool
    ) -> list[Answer]:
        began = perf_counter()
        predictions = predict_candidates(model, [drawing.found for drawing in drawings])
        count_network_time(began, len(drawings))
        return [
            digit_answer(model, drawing, prediction, previews=previews) | {"model": model.version}
            for drawing, prediction in zip(drawings, predictions, strict=True)
        ]


class NumberPredictor:
    """Predicts a line of digits in a drawing."""

    def find(self, image: Image.Image) -> NumberDrawing:
        return find_number(image)

    def answers(self, model: Classifier, drawings: Sequence[Drawing[NumberDrawing]], *, previews: bool) -> list[Answer]:
        began = perf_counter()
        predictions = predict_numbers(model, [drawing.found for drawing in drawings])
        count_network_time(began, len(drawings))
        return [
            number_answer(model, drawing, prediction, previews=previews)
            for drawing, prediction in zip(drawings, predictions, strict=True)
        ]


DIGIT, NUMBER = DigitPredictor(), NumberPredictor()
PREDICTORS: dict[str, Predictor[Any]] = {"digit": DIGIT, "number": NUMBER}


def count_network_time(began: float, drawings: int) -> None:
    """Share the seconds since `began` among the drawings."""
    seconds = (perf_counter() - began) / max(drawings, 1)
    for _ in range(drawings):
        metrics.network.observe(seconds)


def digit_answer(model: Classifier, drawing: Drawing[Any], prediction: Prediction, *, previews: bool) -> Answer:
    """Return the answer for one digit, and count it."""
    digit, confidence, uncertain = prediction.digit, prediction.confidence, bool(prediction.uncertain_reason)
    metrics.confidence.observe(confidence)
    metrics.predictions[digit, uncertain].inc()
    statistics.count(model.version, digit, confidence, uncertain)
    return {
        "prediction": digit,
        "confidence": round(confidence * 100, 2),
        "uncertain": uncertain,
        "uncertain_reason": prediction.uncertain_reason or None,
        "probabilities": prediction.probabilities,
        **(preview(drawing, prediction.candidate) if previews else {}),
    }


def number_answer(
    model: Classifier, drawing: Drawing[NumberDrawing], prediction: NumberPrediction, *, previews: bool
) -> Answer:
    """Return the answer for a line of digits, and count it and its digits."""
    uncertain = bool(prediction.uncertain_reason)
    metrics.number_length[uncertain].observe(len(prediction.digits))
    return {
        "number": prediction.number,
        "confidence": round(prediction.confidence * 100, 2),
        "uncertain": uncertain,
        "uncertain_reason": prediction.uncertain_reason or None,
        "model": model.version,
        "digits": [
            digit_answer(model, drawing, one, previews=previews) | {"box": drawing.box(one.candidate)}
            for one in prediction.digits
        ],
    }


def answer_batch(
    model: Classifier, drawings: list[Any], predictor: Predictor[Any], *, previews: bool
) -> Iterator[Answer]:
    """Yield the answer for each drawing of a batch, or its error's JSON. Raises DecodingBusy.

    Only BATCH_SIZE drawings are in memory at a time: a number has many segments.
    """
    prepared = prepare_batch(drawings, predictor.find)
    while part := list(islice(prepared, BATCH_SIZE)):
        found = [one for one in part if isinstance(one, Drawing)]
        answers = iter(predictor.answers(model, found, previews=previews))
        yield from (next(answers) if isinstance(one, Drawing) else one for one in part)
