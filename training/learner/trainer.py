"""One attempt at a run: epochs, checkpoints, test, export. Knows no Django and no database."""

from __future__ import annotations

import errno
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import keras
import numpy as np
import onnx
import tensorflow as tf

from recognition import calibration
from training.learner import dataset, epochs, loop, network
from training.learner.config import Config, Diverged, NoSpace
from training.learner.export import export, save_weights
from training.learner.loop import Report
from training.learner.presets import PRESETS, TRAINING_DIGITS

EXPORT_CHECK_DIGITS = 256
WAITING_SECONDS = 0.5  # between two reports
UNCERTAIN_SHARE = 0.005  # of the held-back digits may be called uncertain
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


def fit(config: Config, report: Report, stop: threading.Event) -> Result | None:
    """Train, test and export; None when `stop` was set before the last epoch was done.

    Raises DatasetError, Diverged, ExportMismatch and NoSpace.
    """
    loop.share_cores()
    report({"type": "phase", "phase": "loading"})
    digits, held_back = dataset.parts(config)
    test = dataset.load(config.mnist, "t10k")
    try:
        trained = train(config, digits, held_back, report, stop)
        if trained is None:
            return None
        model, read = trained
        report({"type": "phase", "phase": "evaluating"})
        measured = evaluate(read, held_back, test)
        if stop.is_set():
            return None
        report({"type": "phase", "phase": "exporting"})
        checked = test.images[:EXPORT_CHECK_DIGITS]
        difference = export(model, config.model_file, checked, read(checked))
        save_weights(model, config.keras_file)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise NoSpace("There is no space left to save the model.") from error
        raise
    return Result(**measured, export_difference=difference, versions=library_versions())


def train(
    config: Config, digits: dataset.Digits, held_back: dataset.Digits, report: Report, stop: threading.Event
) -> tuple[keras.Model, loop.Reader] | None:
    """The epochs that have no row yet, from the run's source of pictures; None when stopped.

    With the model comes its compiled reader, which validation may have used already.
    """
    preset = PRESETS[config.preset]
    waiting = Waiting(report)
    with epochs.source(config, digits, waiting.progress) as source:
        model, done = start(config, len(digits)), config.resumed_after_epoch
        step, read = loop.compiled_step(model, preset), loop.reader(model)
        for epoch in range(done + 1, config.epochs + 1):
            pictures = source.epoch(epoch)
            if epoch == done + 1:
                report({"type": "phase", "phase": "fitting"})
            network.seed_dropout(model, config.seed, epoch)
            began = time.perf_counter()
            means = loop.train_epoch(step, pictures, epoch, config.batch_size, report, stop)
            if means is None:
                return None
            check_finite(model, epoch)
            with averaged(model, last=epoch == config.epochs):
                values = {name: getattr(means, name) for name in loop.MEASURES} | validated(read, held_back)
            save_checkpoint(config, model, epoch)
            report(epoch_report(epoch, values, float(model.optimizer.learning_rate), time.perf_counter() - began))
            if stop.is_set():
                return None
    return model, read


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


@contextmanager
def averaged(model: keras.Model, last: bool) -> Iterator[None]:
    """The averaged weights in the model's place, where the preset averages; for good after the last epoch."""
    if not model.optimizer.use_ema:
        yield
        return
    trained = model.get_weights()
    model.optimizer.finalize_variable_values(model.trainable_variables)
    yield
    if not last:
        model.set_weights(trained)


def validated(read: loop.Reader, held_back: dataset.Digits) -> dict[str, float]:
    """Return cross-entropy against the label and accuracy on the held-back digits.

    Both by the averaged weights, where the preset averages; the loss is the same measure for every preset.
    """
    if not len(held_back):
        return {}
    answers, targets = read(held_back.images), epochs.TARGETS[held_back.labels]
    loss = keras.losses.CategoricalCrossentropy()(targets, answers)
    return {"val_loss": float(loss), "val_accuracy": float(np.mean(answers.argmax(axis=1) == held_back.labels))}


def evaluate(read: loop.Reader, held_back: dataset.Digits, test: dataset.Digits) -> dict[str, Any]:
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


def check_finite(model: keras.Model, epoch: int) -> None:
    """Raises Diverged. The loss alone does not tell: oneDNN's ReLU turns NaN into 0, and the loss stays a number."""
    if not all(np.isfinite(weights).all() for weights in model.get_weights()):
        raise Diverged(f"The training diverged in epoch {epoch}: try a lower learning rate.")


def epoch_report(epoch: int, values: dict[str, float], learning_rate: float, seconds: float) -> dict[str, Any]:
    """An epoch as it is stored; the validation figures are null where the preset holds nothing back."""
    measured = {name: float(values[name]) if name in values else None for name in MEASURES}
    return {"type": "epoch", "epoch": epoch, **measured, "learning_rate": learning_rate, "seconds": round(seconds, 3)}


def start(config: Config, digits: int) -> keras.Model:
    """The model to go on with: a checkpoint's, or a new one."""
    keras.utils.set_random_seed(config.seed)
    if config.resumed_after_epoch:
        return keras.saving.load_model(config.checkpoint(config.resumed_after_epoch))
    preset = PRESETS[config.preset]
    model = network.build(preset)
    share = digits / TRAINING_DIGITS
    pictures = digits + round(preset.drawn * share) + round(preset.others * share)
    network.compile_for(model, preset, config.learning_rate, -(-pictures // config.batch_size) * config.epochs)
    return model


def save_checkpoint(config: Config, model: keras.Model, epoch: int) -> None:
    """Weights and optimizer after `epoch`; written beside and renamed, so never torn.

    The worker removes those before it, once the epoch has its row.
    """
    draft = config.attempt_folder / "draft.keras"
    model.save(draft)
    draft.replace(config.checkpoint(epoch))


def confusion_matrix(read: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """int64 [10, 10]: the true digit by row, what it was read as by column."""
    counts = np.zeros((10, 10), np.int64)
    np.add.at(counts, (labels, read), 1)
    return counts


def library_versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "onnx": onnx.__version__,
    }
