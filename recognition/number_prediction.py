"""Predict a line of digits: the likeliest way through the lattice of its segments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

from recognition.classifier import Classifier
from recognition.imaging import NumberDrawing
from recognition.prediction import Prediction, choose, network_doubt


@dataclass(frozen=True)
class NumberPrediction:
    """The answer for one line of digits."""

    digits: list[Prediction]  # from left to right, at least one
    confidence: float  # of the whole line, 0 to 1
    uncertain_reason: str  # one of UNCERTAIN_REASONS, or empty if the answer is certain

    @property
    def number(self) -> str:
        return "".join(str(one.digit) for one in self.digits)


def predict_numbers(model: Classifier, drawings: Sequence[NumberDrawing]) -> list[NumberPrediction]:
    """Return the prediction for each line. All their segments are one pass of the network."""
    grids = [grid for drawing in drawings for grid in drawing.grids()]
    rows = iter(model.probabilities(grids).tolist())
    return [predict_number(model, drawing, rows) for drawing in drawings]


def predict_number(model: Classifier, drawing: NumberDrawing, rows: Iterator[list[float]]) -> NumberPrediction:
    """Return the likeliest reading of a drawing; `rows` yields the probabilities of its candidates and segments."""
    candidates = [(candidate, next(rows)) for candidate in drawing.candidates]
    segments = [(segment, next(rows)) for segment in drawing.segments]
    if candidates:
        digits = [choose(model, candidates)]
    else:
        digits = [Prediction(segment, row, network_doubt(model, row)) for segment, row in segments]
    reason = next((one.uncertain_reason for one in digits if one.uncertain_reason), "")
    return NumberPrediction(digits, prod(one.confidence for one in digits), reason)
