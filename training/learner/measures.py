"""Measure a network with NumPy alone, and report that pictures are made."""

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from recognition.prediction import calibration
from training.learner import dataset
from training.learner.config import Config
from training.learner.presets import PRESETS
from training.learner.reports import Figures, SendReport, Validation

Predict = Callable[[NDArray[np.float32]], NDArray[np.float32]]  # pictures [N, 28, 28, 1] -> probabilities [N, 10]
PROGRESS_SECONDS = 0.5  # between two reports
PATIENCE = 3  # epochs without a lower validation loss
UNCERTAIN_SHARE = 0.005  # share of the held-back digits
MIN_CALIBRATION_DIGITS = 500  # fewer say nothing about a share of 0.005
SMALLEST_PROBABILITY = 1e-7  # in a cross-entropy, as in Keras


class DrawingProgress:
    """Reports twice a second that pictures are made for the next epoch, so that the worker waits."""

    def __init__(self, send: SendReport) -> None:
        self._send = send
        self._sent_at = float("-inf")

    def report(self, share: float | None) -> None:
        """Report the share of drawings that is done; None while digits are augmented."""
        now = time.monotonic()
        if now - self._sent_at >= PROGRESS_SECONDS:
            self._sent_at = now
            self._send({"type": "alive"} if share is None else {"type": "phase", "phase": "drawing", "progress": share})


def validate(predict: Predict, held_back: dataset.Digits) -> Validation:
    """Return cross-entropy and accuracy on the held-back digits, the same measures for every preset."""
    if not len(held_back):
        return {"val_loss": None, "val_accuracy": None}
    probabilities = predict(held_back.images)
    of_label = probabilities[np.arange(len(held_back)), held_back.labels]
    loss = -np.log(np.clip(of_label, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)).mean()
    return {"val_loss": float(loss), "val_accuracy": float(np.mean(probabilities.argmax(axis=1) == held_back.labels))}


def stopped_gaining(losses: Sequence[float]) -> bool:
    """Return whether none of the last epochs had a lower validation loss than the best one before them."""
    return len(losses) > PATIENCE and min(losses[-PATIENCE:]) >= min(losses[:-PATIENCE])


def calibrates(config: Config, held_back: dataset.Digits) -> bool:
    """Return whether the preset calibrates its model and enough digits are held back."""
    return PRESETS[config.preset].held_back > 0 and len(held_back) >= MIN_CALIBRATION_DIGITS


def evaluate(config: Config, predict: Predict, held_back: dataset.Digits, test: dataset.Digits) -> Figures:
    """Calibrate on the held-back digits, if the run does, and measure on the test set."""
    return measure(predict, test, calibrating=held_back if calibrates(config, held_back) else None)


def measure(predict: Predict, test: dataset.Digits, calibrating: dataset.Digits | None) -> Figures:
    """Calibrate on the digits `calibrating`, if there are any, and measure on the test set."""
    temperature = uncertain_below = None
    probabilities = predict(test.images)
    if calibrating is not None:
        answers = predict(calibrating.images)
        temperature = calibration.fit_temperature(answers, calibrating.labels)
        calibrated = calibration.apply_temperature(answers, temperature)
        uncertain_below = calibration.confidence_floor(calibrated, UNCERTAIN_SHARE)
    calibrated = calibration.apply_temperature(probabilities, temperature or 1.0)
    confusion = np.zeros((10, 10), np.int64)
    np.add.at(confusion, (test.labels, probabilities.argmax(axis=1)), 1)
    confidence = np.rint(calibrated.max(axis=1) * 65535).astype("<u2")
    predicted = calibrated.argmax(axis=1).astype(np.uint8)
    return {
        "test_accuracy": float(np.trace(confusion) / confusion.sum()),
        "calibration_error": calibration.expected_calibration_error(calibrated, test.labels),
        "confusion": confusion.tolist(),
        "temperature": temperature,
        "uncertain_below": uncertain_below,
        "predictions": {"predicted": predicted.tobytes(), "confidence": confidence.tobytes()},
    }
