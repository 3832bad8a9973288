"""Choose between the candidates of a drawing by the network's confidence, and say why an answer is uncertain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from recognition.classifier import Classifier
from recognition.imaging import Candidate, Doubt, Segment

UNCERTAIN_REASONS = ("low_confidence", "not_a_digit", *filter(None, get_args(Doubt)))
# The best two digits' probability in total. Below it, the network spreads its probability, as it learned to for letters
# and scribbles; above it, two digits compete.
MIN_BEST_TWO = 0.75
# For the same reason, the second digit's probability counts in part for the answer. It must reach what it has at the
# model's threshold if the second digit has half of the rest; that alone lets a confidence a little lower pass.
SECOND, TOLERANCE = 0.5, 0.05


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
    """Return the candidate of which the network is surest, counted by its weight."""
    best, probabilities = max(candidates, key=lambda one: one[0].weight * max(one[1]))
    reason = best.doubt if max(probabilities) < best.doubt_below else network_doubt(model, probabilities)
    return Prediction(best, probabilities, reason)


def network_doubt(model: Classifier, probabilities: list[float]) -> str:
    """Return why the network is unsure of its answer, or nothing if it is sure."""
    floor = model.uncertain_below
    second, best = sorted(probabilities)[-2:]
    is_spread = best + SECOND * second < floor + SECOND * (1 - floor) / 2
    if not floor or not (is_spread or best < floor - TOLERANCE):
        return ""
    return "low_confidence" if best + second >= MIN_BEST_TWO else "not_a_digit"
