"""What `numpy_learner` does for the preset adapt: it learns corrections, stops early and compares two regressions."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.comparison import Example, ExamplePicture, SetName, SetResult, mcnemar
from recognition.imaging import encode_png
from training.learner import dataset
from training.learner.config import Config
from training.learner.measures import stopped_gaining
from training.learner.presets import PRESETS

NO_DIGIT, EXAMPLES = 10, 12
Read = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True)
class Corrections:
    """The file of a run's corrections; empty for a preset that learns none."""

    digits: dataset.Digits
    held_out: NDArray[np.bool_]
    ids: NDArray[np.int64]

    @classmethod
    def load(cls, config: Config) -> Corrections:
        if config.corrections_file is None:
            nothing = dataset.Digits(np.zeros((0, 28, 28, 1), np.float32), np.zeros(0, np.int64))
            return cls(nothing, np.zeros(0, bool), np.zeros(0, np.int64))
        with np.load(config.corrections_file) as file:
            images = file["images"][..., np.newaxis].astype(np.float32) / np.float32(255)
            return cls(dataset.Digits(images, file["labels"]), file["held_out"], file["ids"])

    def added_to(self, digits: dataset.Digits) -> dataset.Digits:
        """Return the digits with the corrections to train on."""
        kept = self.digits[np.flatnonzero(~self.held_out)]
        images, labels = np.concatenate([digits.images, kept.images]), np.concatenate([digits.labels, kept.labels])
        return dataset.Digits(images, labels)


def data_url(image: NDArray[np.float32]) -> str:
    return f"data:image/png;base64,{base64.b64encode(encode_png(image[..., 0])).decode()}"


def is_over(config: Config, losses: list[float | None]) -> bool:
    """Return whether an adapting run has stopped gaining."""
    return PRESETS[config.preset].adapts and stopped_gaining([loss for loss in losses if loss is not None])


def compare(
    corrections: Corrections, test: dataset.Digits, before: Read | None, after: Read, uncertain_below: float | None
) -> list[SetResult]:
    """Compare two regressions; a champion of another kind (None) is taken to read every digit and to know the rest."""
    held = np.flatnonzero(corrections.held_out & (corrections.digits.labels < NO_DIGIT))
    noise = np.random.default_rng(0).random((4, 28, 28, 1), np.float32)  # too few to be significant
    sets: list[tuple[SetName, dataset.Digits, list[ExamplePicture]]] = [
        ("mnist_test", test, [{"index": i} for i in range(len(test))]),
        ("held_out", corrections.digits[held], [{"correction": int(i)} for i in corrections.ids[held]]),
        (
            "no_digits",
            dataset.Digits(noise, np.full(len(noise), NO_DIGIT)),
            [{"picture": data_url(image)} for image in noise],
        ),
    ]
    return [result(name, digits, names, before, after, uncertain_below or 0.0) for name, digits, names in sets]


def result(
    name: SetName,
    digits: dataset.Digits,
    names: list[ExamplePicture],
    before: Read | None,
    after: Read,
    uncertain_below: float,
) -> SetResult:
    labels = digits.labels
    answers = [of(read, digits) for read in (before, after)]
    right = [
        np.where(labels == NO_DIGIT, surest < uncertain_below, predicted == labels) for predicted, surest in answers
    ]
    fixed, broken = right[1] & ~right[0], right[0] & ~right[1]

    def examples(rows: NDArray[np.bool_]) -> list[Example]:
        (old, old_surest), (new, new_surest) = answers
        return [
            {
                **names[i],
                "label": int(labels[i]),
                "champion": int(old[i]),
                "champion_confidence": float(old_surest[i]),
                "challenger": int(new[i]),
                "challenger_confidence": float(new_surest[i]),
            }
            for i in np.flatnonzero(rows)[:EXAMPLES]
        ]

    return {
        "name": name,
        "count": len(labels),
        "both_right": int((right[0] & right[1]).sum()),
        "fixed": int(fixed.sum()),
        "broken": int(broken.sum()),
        "both_wrong": int((~right[0] & ~right[1]).sum()),
        "p": mcnemar(int(fixed.sum()), int(broken.sum())),
        "fixed_examples": examples(fixed),
        "broken_examples": examples(broken),
    }


def of(read: Read | None, digits: dataset.Digits) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the predicted digits and their probabilities."""
    if read is None:
        return digits.labels % NO_DIGIT, (digits.labels < NO_DIGIT).astype(np.float32)
    probabilities = read(digits.images)
    return probabilities.argmax(axis=1), probabilities.max(axis=1, initial=0)
