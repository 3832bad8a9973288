"""The pictures behind a run's figures: what was predicted for each, and how confidently."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from recognition import registry
from recognition.imaging import encode_png, png_data_url
from recognition.models import Comparison, Correction
from training.errors import DigitsUnavailable, NoComparison, NoPredictions
from training.learner import dataset
from training.learner.config import DatasetError
from training.models import Predictions, TrainingRun

CERTAIN = np.float32(65535)  # a stored confidence of 1


@lru_cache(maxsize=1)
def test_set(folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return (images [10000, 28, 28], labels [10000]), 8 MB, loaded on first use. Raises DigitsUnavailable."""
    try:
        return dataset.as_stored(folder, "t10k")
    except DatasetError as error:
        raise DigitsUnavailable from error


def most_confident(
    run: TrainingRun, offset: int, limit: int, label: int | None, predicted: int | None
) -> dict[str, Any]:
    """Return the count of matching test digits, and `limit` of them as `results`, most confident first.

    `label` and `predicted` choose a cell of the confusion matrix; without them, all misread digits match. A picture is
    a PNG data URL, white on black.
    Raises NoPredictions and DigitsUnavailable.
    """
    row = Predictions.objects.filter(run=run).first()
    if row is None:
        raise NoPredictions
    predictions, confidence = np.frombuffer(row.predicted, np.uint8), np.frombuffer(row.confidence, "<u2")
    images, labels = test_set(settings.MNIST_DIR)
    matching = predictions != labels if label is None and predicted is None else np.full(len(labels), True)
    if label is not None:
        matching &= labels == label
    if predicted is not None:
        matching &= predictions == predicted
    found = np.flatnonzero(matching)
    found = found[np.argsort(confidence[found], kind="stable")[::-1]]
    results = [
        {
            "index": int(i),
            "label": int(labels[i]),
            "predicted": int(predictions[i]),
            "confidence": round(float(confidence[i] / CERTAIN), 4),
            "picture": data_url(images[i]),
        }
        for i in found[offset : offset + limit]
    ]
    return {"count": len(found), "results": results}


def data_url(image: NDArray[np.uint8]) -> str:
    """Return a picture [28, 28], ink 255 on 0, as a PNG data URL."""
    return png_data_url(encode_png(image / np.float32(255)))


def comparison_of(run: TrainingRun, with_corrections: bool) -> dict[str, Any]:
    """Return the comparison of the run's model with the one that it began with, with pictures of the examples.

    Corrections are shown only `with_corrections`, and if they still exist. Raises NoComparison and DigitsUnavailable.
    """
    comparison = Comparison.objects.filter(champion=run.base_id, challenger=run.model_id).first()
    if comparison is None:
        raise NoComparison
    found = [one for examples in comparison.examples.values() for kind in examples.values() for one in kind]
    wanted = [one["correction"] for one in found if with_corrections and "correction" in one]
    corrections = Correction.objects.only("picture").in_bulk(wanted)
    summary = registry.summarize(comparison)
    for one in summary["sets"]:
        for kind, examples in comparison.examples[one["name"]].items():
            pictures = [example | {"picture": picture_of(example, corrections)} for example in examples]
            one[kind] = [example for example in pictures if example["picture"]]
    return summary


def picture_of(example: dict[str, Any], corrections: dict[int, Correction]) -> str | None:
    """Return the picture of a comparison.Example; None for a correction that is not among `corrections`."""
    if "index" in example:
        return data_url(test_set(settings.MNIST_DIR)[0][example["index"]])
    if "correction" in example:
        row = corrections.get(example["correction"])
        return data_url(np.frombuffer(row.picture, np.uint8).reshape(28, 28)) if row else None
    picture: str = example["picture"]
    return picture
