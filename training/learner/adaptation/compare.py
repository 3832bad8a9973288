"""Compare the new network with the model that it began with, on pictures that neither was trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.comparison import Example, ExamplePicture, SetName, SetResult, mcnemar
from recognition.imaging import encode_png, png_data_url
from recognition.prediction.calibration import apply_temperature
from training.learner import dataset
from training.learner.adaptation import replay
from training.learner.adaptation.corrections import Corrections

EXAMPLES = 24  # of each kind and set, the most confident of the new network first


@dataclass(frozen=True)
class Contender:
    """One of the two networks, with its calibration as it serves."""

    predict: Callable[[NDArray[np.float32]], NDArray[np.float32]]  # pictures [N, 28, 28, 1] -> probabilities [N, 10]
    temperature: float
    uncertain_below: float

    def answer(self, digits: dataset.Digits) -> Answers:
        """Answer every picture of a set."""
        probabilities = apply_temperature(self.predict(digits.images), self.temperature)
        predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1, initial=0)
        is_digit = digits.labels < dataset.NO_DIGIT
        right = np.where(is_digit, predicted == digits.labels, confidence < self.uncertain_below)
        return Answers(predicted, confidence, right)


@dataclass(frozen=True)
class Answers:
    """Arrays [N]: the predicted digits, their confidences from 0 to 1, and whether they are right."""

    predicted: NDArray[np.int64]
    confidence: NDArray[np.float64]
    right: NDArray[np.bool_]


def compare(
    champion: Contender, challenger: Contender, corrections: Corrections, test: dataset.Digits
) -> list[SetResult]:
    """Return the results on MNIST's test digits, the held-out corrections, and pictures of no digit."""
    judged = replay.load().judged
    non_digits = dataset.Digits(judged[..., np.newaxis], np.full(len(judged), dataset.NO_DIGIT))
    ids = corrections.held_out_ids
    sets: list[tuple[SetName, dataset.Digits, Callable[[int], ExamplePicture]]] = [
        ("mnist_test", test, lambda row: {"index": row}),
        ("held_out", corrections.held_out, lambda row: {"correction": int(ids[row])}),
        ("no_digits", non_digits, lambda row: {"picture": png_data_url(encode_png(judged[row]))}),
    ]
    return [
        result(name, digits, champion.answer(digits), challenger.answer(digits), picture)
        for name, digits, picture in sets
    ]


def result(
    name: SetName,
    digits: dataset.Digits,
    before: Answers,
    after: Answers,
    picture: Callable[[int], ExamplePicture],
) -> SetResult:
    """Return the counts of one set, and its examples."""
    fixed, broken = after.right & ~before.right, before.right & ~after.right

    def examples(rows: NDArray[np.bool_]) -> list[Example]:
        found = np.flatnonzero(rows)
        most_confident = found[np.argsort(-after.confidence[found], kind="stable")][:EXAMPLES]
        return [example(digits.labels, before, after, int(row), picture(int(row))) for row in most_confident]

    return SetResult(
        name=name,
        count=len(digits),
        both_right=int((before.right & after.right).sum()),
        fixed=int(fixed.sum()),
        broken=int(broken.sum()),
        both_wrong=int((~before.right & ~after.right).sum()),
        p=mcnemar(int(fixed.sum()), int(broken.sum())),
        fixed_examples=examples(fixed),
        broken_examples=examples(broken),
    )


def example(
    labels: Sequence[int] | NDArray[np.int64], before: Answers, after: Answers, row: int, picture: ExamplePicture
) -> Example:
    """Return one picture on which the two differ."""
    return Example(
        **picture,
        label=int(labels[row]),
        champion=int(before.predicted[row]),
        champion_confidence=round(float(before.confidence[row]), 4),
        challenger=int(after.predicted[row]),
        challenger_confidence=round(float(after.confidence[row]), 4),
    )
