"""The test digits behind a run's figures: what the network predicted for each, and how confidently."""

import base64
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from recognition.imaging import encode_png
from training.errors import DigitsUnavailable, NoPredictions
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


def most_confident(run: TrainingRun, limit: int, label: int | None, predicted: int | None) -> dict[str, Any]:
    """Return the count of matching test digits, and the `limit` most confident ones as `results`.

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
            "picture": f"data:image/png;base64,{base64.b64encode(encode_png(images[i] / np.float32(255))).decode()}",
        }
        for i in found[:limit]
    ]
    return {"count": len(found), "results": results}
