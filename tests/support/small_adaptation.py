"""Keras' learner with epochs of adapt that are a tenth as large, for LEARNER in tests that are not about their size.

The augmentation process imports this module too, because it is started with a function of it.
"""

from collections.abc import Iterable
from multiprocessing.connection import Connection
from typing import Any

from training.learner import epochs
from training.learner.adaptation import builder
from training.learner.config import Config
from training.learner.reports import Result

SMALL_ADAPTATION = "tests.support.small_adaptation.fit"
REPLAYED = {"CANDIDATES": 700, "UNSUREST": 280, "OTHERS": 90, "SEARCHED": 3000, "HARDEST": 160}
OTHERS = {"NON_DIGIT_CANDIDATES": 400, "NON_DIGITS": 240, "COPIES": 400, "TRANSFERRED": 300, "HABITUAL": 70}
SMALL = REPLAYED | OTHERS  # the names are the builder's


def fit(config: Config, *rest: Any) -> Result | None:
    from training.learner import trainer  # it imports TensorFlow

    shrink()
    epochs.build_epochs = build_epochs
    return trainer.fit(config, *rest)


def build_epochs(pipe: Connection, config: Config, numbers: Iterable[int]) -> None:
    shrink()
    build(pipe, config, numbers)


def shrink() -> None:
    for name, value in SMALL.items():
        setattr(builder, name, value)


build = epochs.build_epochs
