"""One attempt at a run in pure Keras: epochs, checkpoints, test, export. Knows no Django and no database."""

from __future__ import annotations

import errno
import math
import platform
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import Any

import keras
import numpy as np
import onnx
import tensorflow as tf

from recognition import calibration
from training.learner import batches, dataset, network
from training.learner.callbacks import Report, Reporter
from training.learner.config import Config, Diverged, NoSpace
from training.learner.export import export
from training.learner.presets import PRESETS, TRAINING_DIGITS

EXPORT_CHECK_DIGITS = 256
UNCERTAIN_SHARE = 0.005  # of the held-back digits may be called uncertain
MEASURES = ("loss", "accuracy", "val_loss", "val_accuracy")


@dataclass(frozen=True)
class Result:
    """What a completed run leaves: `confusion[true][read]` counts test digits.

    `temperature` divides the model's logits, and `uncertain_below` is the confidence under which an answer is not to
    be trusted: both are fitted on held-back digits, and null where the preset holds none back.
    """

    test_accuracy: float
    calibration_error: float
    confusion: list[list[int]]
    temperature: float | None
    uncertain_below: float | None
    export_difference: float
    versions: dict[str, str] = field(default_factory=dict)

    def as_report(self) -> dict[str, Any]:
        return {"type": "result", **asdict(self)}


def fit(config: Config, report: Report, stop: threading.Event) -> Result | None:
    """Train, test and export; None when `stop` was set before the last epoch was done.

    Raises DatasetError, Diverged, ExportMismatch and NoSpace.
    """
    report({"type": "phase", "phase": "loading"})
    digits, held_back = dataset.parts(config)
    test = dataset.load(config.mnist, "t10k")
    try:
        model = train(config, digits, held_back, report, stop)
        if model is None:
            return None
        report({"type": "phase", "phase": "evaluating"})
        measured = evaluate(model, held_back, test, config.seed)
        if stop.is_set():
            return None
        report({"type": "phase", "phase": "exporting"})
        difference = export(model, config.model_file, test.images[:EXPORT_CHECK_DIGITS])
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise NoSpace("There is no space left to save the model.") from error
        raise
    return Result(**measured, export_difference=difference, versions=library_versions())


def train(
    config: Config, digits: dataset.Digits, held_back: dataset.Digits, report: Report, stop: threading.Event
) -> keras.Model | None:
    """The epochs that have no row yet, from the run's source of pictures; None when stopped."""
    with batches.source(config, digits) as source:
        model, done = start(config, len(digits))
        if PRESETS[config.preset].drawn:
            report({"type": "phase", "phase": "drawing"})  # takes a minute or two, before the first epoch
        for epoch in range(done + 1, config.epochs + 1):
            pictures, targets = source.epoch(epoch)
            if epoch == done + 1:
                report({"type": "phase", "phase": "fitting"})
            network.seed_dropout(model, config.seed, epoch)
            reporter = Reporter(report, stop, epoch)
            began = time.perf_counter()
            history = model.fit(
                pictures, targets, batch_size=config.batch_size, shuffle=False, verbose=0, callbacks=[reporter]
            ).history
            if not reporter.whole:
                return None
            check_finite(model, history["loss"][-1], epoch)
            values = {"loss": history["loss"][-1], "accuracy": history["accuracy"][-1], **validated(model, held_back)}
            if epoch < config.epochs:
                model.set_weights(reporter.weights)  # fit() leaves the averaged ones, which would hold training up
            save_checkpoint(config, model, epoch)
            report(epoch_report(epoch, values, float(model.optimizer.learning_rate), time.perf_counter() - began))
            if stop.is_set():
                return None
    return model


def validated(model: keras.Model, held_back: dataset.Digits) -> dict[str, float]:
    """Loss and accuracy on the held-back digits, by the averaged weights where the preset averages."""
    if not len(held_back):
        return {}
    targets = batches.TARGETS[held_back.labels]
    loss, accuracy = model.evaluate(held_back.images, targets, batch_size=500, verbose=0)
    return {"val_loss": loss, "val_accuracy": accuracy}


def evaluate(model: keras.Model, held_back: dataset.Digits, test: dataset.Digits, seed: int) -> dict[str, Any]:
    """The figures of a Result: calibrated on the held-back digits, measured on the test set."""
    temperature = uncertain_below = None
    answers = model.predict(test.images, batch_size=500, verbose=0)
    if len(held_back):
        known = model.predict(held_back.images, batch_size=500, verbose=0)
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
    }


def check_finite(model: keras.Model, loss: float, epoch: int) -> None:
    """Raises Diverged. The loss alone does not tell: oneDNN's ReLU turns NaN into 0, and the loss stays a number."""
    if not math.isfinite(loss) or not all(np.isfinite(weights).all() for weights in model.get_weights()):
        raise Diverged(f"The training diverged in epoch {epoch}: try a lower learning rate.")


def epoch_report(epoch: int, values: dict[str, float], learning_rate: float, seconds: float) -> dict[str, Any]:
    """An epoch as it is stored; the validation figures are null where the preset holds nothing back."""
    measured = {name: float(values[name]) if name in values else None for name in MEASURES}
    return {"type": "epoch", "epoch": epoch, **measured, "learning_rate": learning_rate, "seconds": round(seconds, 3)}


def start(config: Config, digits: int) -> tuple[keras.Model, int]:
    """The model to go on with and how many epochs it has behind it: a checkpoint's, or a new one."""
    keras.utils.set_random_seed(config.seed)
    for epoch in range(min(config.finished_epochs, config.epochs), 0, -1):
        if config.checkpoint(epoch).exists():
            return keras.saving.load_model(config.checkpoint(epoch)), epoch
    preset = PRESETS[config.preset]
    model = network.build(preset)
    share = digits / TRAINING_DIGITS
    pictures = digits + round(preset.drawn * share) + round(preset.others * share)
    network.compile_for(model, preset, config.learning_rate, -(-pictures // config.batch_size) * config.epochs)
    return model, 0


def save_checkpoint(config: Config, model: keras.Model, epoch: int) -> None:
    """Weights and optimizer after `epoch`; written beside and renamed, so never torn.

    The one before is kept too: a crash between checkpoint and row resumes from the row.
    """
    draft = config.folder / "draft.keras"
    model.save(draft)
    draft.replace(config.checkpoint(epoch))
    config.checkpoint(epoch - 2).unlink(missing_ok=True)


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
