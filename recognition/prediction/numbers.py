"""Predict a line of digits: the likeliest path through the lattice of its segments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp, prod

import numpy as np

from recognition.imaging import NumberDrawing, Segment
from recognition.imaging.numbers.paths import Edge, best_path, log_sum, log_sum_of
from recognition.imaging.numbers.score import score
from recognition.prediction.classifier import Classifier
from recognition.prediction.digits import Prediction, choose, network_doubt

MIN_CONFIDENCE = 0.7  # confidence of the whole number, 0 to 1; below it the answer is uncertain
MIN_CONFIDENCE_IF_CUT = 0.85  # the same if digits touch: wrong cuts leave convincing digits


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
    rows = iter(model.probabilities([grid for drawing in drawings for grid in drawing.grids()]).tolist())
    return [predict_number(model, drawing, rows) for drawing in drawings]


def predict_number(model: Classifier, drawing: NumberDrawing, rows: Iterator[list[float]]) -> NumberPrediction:
    """Return the likeliest reading of a drawing.

    Args:
        rows: yields the ten probabilities of each of the drawing's `grids()`, and is left after the last.
    """
    candidates = [(candidate, next(rows)) for candidate in drawing.candidates]
    segments = [(segment, next(rows)) for segment in drawing.segments]
    scores = score([segment.shape for segment, _ in segments], np.array([row for _, row in segments]))
    edges = [
        Edge(segment.first, segment.last, value, max(range(10), key=row.__getitem__))
        for (segment, row), value in zip(segments, scores.tolist(), strict=True)
    ]
    path = best_path(edges, drawing.nodes)
    if candidates and (len(path) == 1 or drawing.is_surrounded):
        digit = choose(model, candidates)
        # Print looks like digits, so one certain digit is likelier than a line in a picture that holds print.
        if len(path) == 1 or not digit.uncertain_reason:
            return NumberPrediction([digit], digit.confidence, digit.uncertain_reason)
    digits = [predict_segment(model, *segments[k]) for k in path]
    spelled = log_sum_of(edges, drawing.nodes, [edges[k].digit for k in path])
    share = exp(spelled - log_sum(edges, drawing.nodes))
    confidence = share * prod(one.confidence for one in digits)
    reason = next((one.uncertain_reason for one in digits if one.uncertain_reason), "") or drawing.doubt
    is_cut = not all(segments[k][0].shape.ends_by_itself() for k in path)
    if not reason and confidence < (MIN_CONFIDENCE_IF_CUT if is_cut else MIN_CONFIDENCE):
        reason = "low_confidence"
    return NumberPrediction(digits, confidence, reason)


def predict_segment(model: Classifier, segment: Segment, probabilities: list[float]) -> Prediction:
    """Return the prediction of one segment of a line. A dot is no digit, whatever the network says."""
    reason = "not_a_digit" if segment.is_dot() else network_doubt(model, probabilities)
    return Prediction(segment, probabilities, reason)
