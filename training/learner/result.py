"""The reports of an attempt's epochs and of its end, worked out by NumPy alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognition import calibration
from training.learner import dataset
from training.learner.loop import Report

Reader = Callable[[NDArray[np.float32]], NDArray[np.float32]]  # pictures [N, 28, 28, 1] -> probabilities [N, 10]
WAITING_SECONDS = 0.5  # between two reports
UNCERTAIN_SHARE = 0.005  # of the held-back digits may be called uncertain
SMALLEST = 1e-7  # probability that a loss is taken of, as in Keras
MEASURES = ("loss", "accuracy", "val_loss", "val_accuracy", "objective")


@dataclass(frozen=True)
class Result:
    """What a completed run leaves: `confusion[true][read]` counts test digits.

    `temperature` divides the model's logits, and `uncertain_below` is the confidence under which an answer is not to
    be trusted: both are fitted on held-back digits, and null where the preset holds none back. `predictions` are the
    answers to the test digits as training.models.Predictions keeps them.
    """

    test_accuracy: float
    calibration_error: float
    confusion: list[list[int]]
    temperature: float | None
    uncertain_below: float | None
    predictions: dict[str, bytes]
    export_difference: float
    versions: dict[str, str] = field(default_factory=dict)

    def as_report(self) -> dict[str, Any]:
        return {"type": "result", **asdict(self)}


class Waiting:
    """Reports that an epoch's pictures are being made, twice a second, so that slow work is not taken for a hang."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._reported_at = float("-inf")

    def progress(self, share: float | None) -> None:
        """Take the share of the drawings that is done; None: pictures are being changed for an epoch."""
        now = time.monotonic()
        if now - self._reported_at >= WAITING_SECONDS:
            self._reported_at = now
            news = {"type": "phase", "phase": "drawing", "progress": share}
            self._report({"type": "alive"} if share is None else news)


def epoch_report(epoch: int, values: dict[str, float], learning_rate: float, seconds: float) -> dict[str, Any]:
    """An epoch as it is stored; the validation figures are null where the preset holds nothing back."""
    measured = {name: float(values[name]) if name in values else None for name in MEASURES}
    return {"type": "epoch", "epoch": epoch, **measured, "learning_rate": learning_rate, "seconds": round(seconds, 3)}


def validated(read: Reader, held_back: dataset.Digits) -> dict[str, float]:
    """Return cross-entropy against the label and accuracy on the held-back digits; nothing where there are none.

    The loss is the same measure for every preset.
    """
    if not len(held_back):
        return {}
    answers = read(held_back.images)
    known = answers[np.arange(len(held_back)), held_back.labels]
    loss = -np.log(np.clip(known, SMALLEST, 1 - SMALLEST)).mean()
    return {"val_loss": float(loss), "val_accuracy": float(np.mean(answers.argmax(axis=1) == held_back.labels))}


def evaluate(read: Reader, held_back: dataset.Digits, test: dataset.Digits) -> dict[str, Any]:
    """The figures of a Result: calibrated on the held-back digits, measured on the test set."""
    temperature = uncertain_below = None
    answers = read(test.images)
    if len(held_back):
        known = read(held_back.images)
        temperature = calibration.fit_temperature(known, held_back.labels)
        uncertain_below = calibration.confidence_floor(calibration.tempered(known, temperature), UNCERTAIN_SHARE)
    shown = calibration.tempered(answers, temperature or 1.0)
    confusion = confusion_matrix(answers.argmax(axis=1), test.labels)
    return {
        "test_accuracy": float(np.trace(confusion) / confusion.sum()),
        "calibration_error": calibration.expected_calibration_error(shown, test.labels),
        "confusion": confusion.tolist(),
        "temperature": temperature,
        "uncertain_below": uncertain_below,
        "predictions": packed(shown),
    }


def packed(answers: np.ndarray) -> dict[str, bytes]:
    """Probabilities [N, 10] -> the digits read, a byte each, and how surely, a little-endian uint16 each."""
    confidence = np.rint(answers.max(axis=1) * 65535).astype("<u2")
    return {"predicted": answers.argmax(axis=1).astype(np.uint8).tobytes(), "confidence": confidence.tobytes()}


def confusion_matrix(read: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """int64 [10, 10]: the true digit by row, what it was read as by column."""
    counts = np.zeros((10, 10), np.int64)
    np.add.at(counts, (labels, read), 1)
    return counts
