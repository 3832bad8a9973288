"""The test digits behind a run's figures: which were read as what, and how surely."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from recognition.imaging import encode_png
from training.errors import DigitsUnavailable, NoPredictions
from training.learner import dataset
from training.learner.config import DatasetError
from training.models import Predictions, TrainingRun

SUREST = np.float32(65535)


@dataclass(frozen=True)
class TestDigit:
    """One of MNIST's 10,000 test digits as a run's network read it; `picture` is a PNG data URL, white on black."""

    index: int
    label: int
    read: int
    confidence: float
    picture: str


@lru_cache(maxsize=1)
def test_set(folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(images [10000, 28, 28], labels [10000]), 8 MB, read when they are first asked for. Raises DigitsUnavailable."""
    try:
        return dataset.as_stored(folder, "t10k")
    except DatasetError as error:
        raise DigitsUnavailable from error


def surest(
    run: TrainingRun, limit: int, label: int | None = None, read: int | None = None
) -> tuple[int, list[TestDigit]]:
    """(how many, the first `limit` of them): one cell of the confusion matrix, or all that were misread.

    The surest answers come first. Raises NoPredictions and DigitsUnavailable.
    """
    answers, confidence = kept(run)
    images, labels = test_set(settings.MNIST_DIR)
    wanted = answers != labels if label is None and read is None else np.full(len(labels), True)
    if label is not None:
        wanted &= labels == label
    if read is not None:
        wanted &= answers == read
    found = np.flatnonzero(wanted)
    found = found[np.argsort(confidence[found], kind="stable")[::-1]]
    return len(found), [
        TestDigit(
            index=int(i),
            label=int(labels[i]),
            read=int(answers[i]),
            confidence=round(float(confidence[i] / SUREST), 4),
            picture=picture(images[i]),
        )
        for i in found[:limit]
    ]


def kept(run: TrainingRun) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """(digits read, confidences) of a run, each [10000]. Raises NoPredictions."""
    row = Predictions.objects.filter(run=run).first()
    if row is None:
        raise NoPredictions
    return np.frombuffer(row.read, np.uint8), np.frombuffer(row.confidence, "<u2")


def picture(image: NDArray[np.uint8]) -> str:
    """A PNG data URL."""
    return f"data:image/png;base64,{base64.b64encode(encode_png(image / np.float32(255))).decode()}"


def worst_mistakes(run: TrainingRun, limit: int = 24) -> list[TestDigit]:
    """The misread test digits of which the network was surest; none where nothing is kept. Raises DigitsUnavailable."""
    try:
        return surest(run, limit)[1]
    except NoPredictions:
        return []
