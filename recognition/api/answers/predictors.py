"""Predict what drawings show, one digit or a number each, and build the answers."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from time import perf_counter
from typing import Any, Protocol, TypeVar

from digits_site.web.error_responses import count_and_serialize
from recognition import metrics, statistics
from recognition.api.answers.previews import preview
from recognition.api.parsing.drawings import Drawing, prepare_batch
from recognition.errors import MAX_DIGITS, RecognitionError, TooManyDigits
from recognition.imaging import Candidate, NumberDrawing, Pixels, find_candidates, find_number
from recognition.prediction import classifier
from recognition.prediction.classifier import BATCH_SIZE, Classifier
from recognition.prediction.digits import Prediction, predict_candidates
from recognition.prediction.numbers import NumberPrediction, predict_numbers

# 256 numbers of ten digits have 15,000; touching digits have up to 600 each, at half a millisecond of CPU.
MAX_BATCH_INPUTS = 20_000

Found = TypeVar("Found")
Predicted = TypeVar("Predicted")
Answer = dict[str, Any]


class Predictor(Protocol[Found, Predicted]):
    """Predicts one kind of thing in drawings."""

    at_once: int  # drawings of a batch that are in memory at a time

    def find(self, pixels: Pixels) -> Found:
        """Return what the network needs of an image. Raises BlankDrawing, and TooManyDigits for a number."""
        ...

    def input_count(self, found: Found) -> int:
        """Return how many 28x28 pictures the network is to see."""
        ...

    def predict(self, model: Classifier, found: Sequence[Found]) -> list[Predicted]:
        """Return the prediction for each drawing."""
        ...

    def count(self, model: Classifier, prediction: Predicted) -> None:
        """Count a prediction in the metrics and the daily statistics."""
        ...

    def answer(
        self, model: Classifier, drawing: Drawing[Found], prediction: Predicted, *, previews: bool = False
    ) -> Answer:
        """Return the JSON of a prediction; with `previews`, with what the network saw of each digit.

        Raises TooManyDigits.
        """
        ...


class DigitPredictor:
    """Predicts one digit in each drawing."""

    at_once = BATCH_SIZE

    def find(self, pixels: Pixels) -> list[Candidate]:
        return find_candidates(pixels)

    def input_count(self, found: list[Candidate]) -> int:
        return len(found)

    def predict(self, model: Classifier, found: Sequence[list[Candidate]]) -> list[Prediction]:
        return predict_candidates(model, found)

    def count(self, model: Classifier, prediction: Prediction) -> None:
        digit, confidence, uncertain = prediction.digit, prediction.confidence, bool(prediction.uncertain_reason)
        metrics.confidence.observe(confidence)
        metrics.predictions[digit, uncertain].inc()
        statistics.count(model.version, digit, confidence, uncertain)

    def answer(
        self, model: Classifier, drawing: Drawing[Any], prediction: Prediction, *, previews: bool = False
    ) -> Answer:
        return {
            "prediction": prediction.digit,
            **certainty(prediction),
            "probabilities": prediction.probabilities,
            "model": model.version,
            **(preview(drawing, prediction.candidate) if previews else {}),
        }


class NumberPredictor:
    """Predicts a line of digits in each drawing."""

    at_once = 4  # a number of many segments takes 13 MB

    def find(self, pixels: Pixels) -> NumberDrawing:
        return find_number(pixels)

    def input_count(self, found: NumberDrawing) -> int:
        return len(found.candidates) + len(found.segments)

    def predict(self, model: Classifier, found: Sequence[NumberDrawing]) -> list[NumberPrediction]:
        return predict_numbers(model, found)

    def count(self, model: Classifier, prediction: NumberPrediction) -> None:
        metrics.number_length[bool(prediction.uncertain_reason)].observe(len(prediction.digits))
        for digit in prediction.digits:
            DIGIT.count(model, digit)

    def answer(
        self, model: Classifier, drawing: Drawing[Any], prediction: NumberPrediction, *, previews: bool = False
    ) -> Answer:
        if len(prediction.digits) > MAX_DIGITS:  # digits that touch are counted only now
            raise TooManyDigits
        digits = []
        for one in prediction.digits:
            digit = DIGIT.answer(model, drawing, one, previews=previews) | {"box": drawing.box(one.candidate)}
            del digit["model"]  # the same for all digits, so it stands once, beside the number
            digits.append(digit)
        return {
            "number": prediction.number,
            **certainty(prediction),
            "model": model.version,
            "digits": digits,
        }


DIGIT, NUMBER = DigitPredictor(), NumberPredictor()
PREDICTORS: dict[str, Predictor[Any, Any]] = {"digit": DIGIT, "number": NUMBER}


def certainty(prediction: Prediction | NumberPrediction) -> Answer:
    """Return how sure the answer is, in per cent, and why it is uncertain."""
    return {
        "confidence": round(prediction.confidence * 100, 2),
        "uncertain": bool(prediction.uncertain_reason),
        "uncertain_reason": prediction.uncertain_reason or None,
    }


def predict(
    model: Classifier, drawings: Sequence[Drawing[Found]], predictor: Predictor[Found, Any], *, previews: bool
) -> Iterator[Answer | RecognitionError]:
    """Yield the model's answer for each drawing, or its error. Observes the time and counts the answers.

    Only the answers of the model in service are counted: they show how it does.
    """
    began = perf_counter()
    predictions = predictor.predict(model, [drawing.found for drawing in drawings])
    seconds = (perf_counter() - began) / max(len(drawings), 1)
    for drawing, prediction in zip(drawings, predictions, strict=True):
        metrics.network.observe(seconds)
        try:
            answer = predictor.answer(model, drawing, prediction, previews=previews)
        except RecognitionError as error:
            yield error
            continue
        if classifier.is_in_service(model):
            predictor.count(model, prediction)
        yield answer


def predict_one(
    model: Classifier, drawing: Drawing[Found], predictor: Predictor[Found, Any], *, previews: bool
) -> Answer:
    """Return the model's answer for a drawing. Raises TooManyDigits."""
    [answer] = predict(model, [drawing], predictor, previews=previews)
    if isinstance(answer, RecognitionError):
        raise answer
    return answer


def limited(predictor: Predictor[Found, Any]) -> Callable[[Pixels], Found]:
    """Return the predictor's `find` for a batch. It raises TooManyDigits once MAX_BATCH_INPUTS were found."""
    room = MAX_BATCH_INPUTS

    def find(pixels: Pixels) -> Found:
        nonlocal room
        if room <= 0:
            raise TooManyDigits("The numbers of a request have too many digits in total. Send fewer.")
        found = predictor.find(pixels)
        room -= predictor.input_count(found)
        return found

    return find


def predict_batch(
    model: Classifier, drawings: list[Any], predictor: Predictor[Any, Any], *, previews: bool
) -> Iterator[Answer]:
    """Yield the answer for each drawing of a batch, or its error's JSON. Raises DecodingBusy.

    At most `predictor.at_once` drawings are prepared at a time: a number's segments take much memory.
    """
    prepared = prepare_batch(drawings, limited(predictor))
    while part := list(islice(prepared, predictor.at_once)):
        answers = predict(model, [one for one in part if isinstance(one, Drawing)], predictor, previews=previews)
        for one in part:
            answer = next(answers) if isinstance(one, Drawing) else one
            yield count_and_serialize(answer) if isinstance(answer, RecognitionError) else answer
