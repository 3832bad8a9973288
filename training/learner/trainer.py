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

from training.learner import dataset, network
from training.learner.callbacks import Report, Reporter
from training.learner.config import Config, Diverged, NoSpace
from training.learner.export import export
from training.learner.presets import PRESETS

EXPORT_CHECK_DIGITS = 256


@dataclass(frozen=True)
class Result:
    """What a completed run leaves: `confusion[true][read]` counts test digits."""

    test_accuracy: float
    confusion: list[list[int]]
    export_difference: float
    versions: dict[str, str] = field(default_factory=dict)

    def as_report(self) -> dict[str, Any]:
        return {"type": "result", **asdict(self)}


def fit(config: Config, report: Report, stop: threading.Event) -> Result | None:
    """Train, test and export; None when `stop` was set before the last epoch was done.

    Raises DatasetError, Diverged, ExportMismatch and NoSpace.
    """
    report({"type": "phase", "phase": "loading"})
    digits = dataset.sample(dataset.load(config.mnist, "train"), config.samples, config.seed)
    test = dataset.load(config.mnist, "t10k")
    try:
        model = train(config, digits, report, stop)
        if model is None:
            return None
        report({"type": "phase", "phase": "evaluating"})
        confusion = confusion_matrix(model, test)
        if stop.is_set():
            return None
        report({"type": "phase", "phase": "exporting"})
        difference = export(model, config.model_file, test.images[:EXPORT_CHECK_DIGITS])
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise NoSpace("There is no space left to save the model.") from error
        raise
    accuracy = float(np.trace(confusion) / confusion.sum())
    return Result(accuracy, confusion.tolist(), difference, library_versions())


def train(config: Config, digits: dataset.Digits, report: Report, stop: threading.Event) -> keras.Model | None:
    """The epochs that have no row yet, each from its own order of the digits; None when stopped."""
    model, done = start(config)
    targets = keras.utils.to_categorical(digits.labels, 10)
    report({"type": "phase", "phase": "fitting"})
    for epoch in range(done + 1, config.epochs + 1):
        # The order depends on seed and epoch alone, so that a resumed run goes on as an unbroken one would.
        order = np.random.default_rng((config.seed, epoch)).permutation(len(digits))
        reporter = Reporter(report, stop, epoch)
        began = time.perf_counter()
        history = model.fit(
            digits.images[order],
            targets[order],
            batch_size=config.batch_size,
            shuffle=False,
            verbose=0,
            callbacks=[reporter],
        )
        if not reporter.whole:
            return None
        seconds = time.perf_counter() - began
        loss, accuracy = history.history["loss"][-1], history.history["accuracy"][-1]
        check_finite(model, loss, epoch)
        save_checkpoint(config, model, epoch)
        report(epoch_report(epoch, loss, accuracy, float(model.optimizer.learning_rate), seconds))
        if stop.is_set():
            return None
    return model


def check_finite(model: keras.Model, loss: float, epoch: int) -> None:
    """Raises Diverged. The loss alone does not tell: oneDNN's ReLU turns NaN into 0, and the loss stays a number."""
    if not math.isfinite(loss) or not all(np.isfinite(weights).all() for weights in model.get_weights()):
        raise Diverged(f"The training diverged in epoch {epoch}: try a lower learning rate.")


def epoch_report(epoch: int, loss: float, accuracy: float, learning_rate: float, seconds: float) -> dict[str, Any]:
    """An epoch as it is stored; the validation figures are null because this recipe holds nothing back."""
    values = {"epoch": epoch, "loss": float(loss), "accuracy": float(accuracy), "val_loss": None, "val_accuracy": None}
    return {"type": "epoch", **values, "learning_rate": learning_rate, "seconds": round(seconds, 3)}


def start(config: Config) -> tuple[keras.Model, int]:
    """The model to go on with and how many epochs it has behind it: a checkpoint's, or a new one."""
    keras.utils.set_random_seed(config.seed)
    for epoch in range(min(config.finished_epochs, config.epochs), 0, -1):
        if config.checkpoint(epoch).exists():
            return keras.saving.load_model(config.checkpoint(epoch)), epoch
    preset = PRESETS[config.preset]
    model = network.build(preset)
    network.compile_for(model, preset, config.learning_rate)
    return model, 0


def save_checkpoint(config: Config, model: keras.Model, epoch: int) -> None:
    """Weights, optimizer and dropout's random state after `epoch`; written beside and renamed, so never torn.

    The one before is kept too: a crash between checkpoint and row resumes from the row.
    """
    draft = config.folder / "draft.keras"
    model.save(draft)
    draft.replace(config.checkpoint(epoch))
    config.checkpoint(epoch - 2).unlink(missing_ok=True)


def confusion_matrix(model: keras.Model, digits: dataset.Digits) -> np.ndarray:
    """int64 [10, 10]: the true digit by row, what it was read as by column."""
    read = model.predict(digits.images, batch_size=500, verbose=0).argmax(axis=1)
    counts = np.zeros((10, 10), np.int64)
    np.add.at(counts, (digits.labels, read), 1)
    return counts


def library_versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "onnx": onnx.__version__,
    }
