"""Choose between the candidates of a drawing by the network's confidence, and say why an answer is uncertain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from recognition.imaging import Candidate, Doubt, Segment
from recognition.prediction.classifier import Classifier

UNCERTAIN_REASONS = ("low_confidence", *filter(None, get_args(Doubt)))
# Probability of the two likeliest digits together. For letters and scribbles the network learned to spread its
# probability over all digits, so less means that no digit fits, and more that two digits compete.
MIN_BEST_TWO = 0.75
# The likeliest digit's probability plus this share of the second's must reach the sum that they have at the model's
# threshold when the second digit has half of the rest. A spread over many digits fails sooner than two that compete.
SECOND_SHARE = 0.5
TOLERANCE = 0.05  # how far the confidence may lie below the model's threshold if that sum is reached


@dataclass(frozen=True)
class Prediction:
    """The answer for one digit."""

    candidate: Candidate | Segment
    probabilities: list[float]  # of 0 to 9
    uncertain_reason: str  # one of UNCERTAIN_REASONS, or empty if the answer is certain

    @property
    def digit(self) -> int:
        return max(range(10), key=self.probabilities.__getitem__)

    @property
    def confidence(self) -> float:
        return max(self.probabilities)


def predict_candidates(model: Classifier, drawings: Sequence[Sequence[Candidate]]) -> list[Prediction]:
    """Return the prediction for each drawing. All their candidates are one pass of the network."""
    rows = iter(model.probabilities([candidate.digit for drawing in drawings for candidate in drawing]).tolist())
    return [choose(model, [(candidate, next(rows)) for candidate in drawing]) for drawing in drawings]


def choose(model: Classifier, candidates: list[tuple[Candidate, list[float]]]) -> Prediction:
    """Return the prediction of the candidate with the highest weighted confidence.

    Args:
        candidates: each with its ten probabilities.
    """
    best, probabilities = max(candidates, key=lambda one: one[0].weight * max(one[1]))
    reason = best.doubt if max(probabilities) < best.doubt_below else network_doubt(model, probabilities)
    return Prediction(best, probabilities, reason)


def network_doubt(model: Classifier, probabilities: list[float]) -> str:
    """Return why the network is unsure of its answer, or an empty string if it is sure or the model has no threshold.

    Args:
        probabilities: of 0 to 9.
    """
    floor = model.uncertain_below
    second, best = sorted(probabilities)[-2:]
    is_spread = best + SECOND_SHARE * second < floor + SECOND_SHARE * (1 - floor) / 2
    if not floor or not (is_spread or best < floor - TOLERANCE):
        return ""
    return "low_confidence" if best + second >= MIN_BEST_TWO else "not_a_digit"
