"""One attempt at a run: epochs, checkpoints, test, export. Knows no Django and no database."""

from __future__ import annotations

import errno
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np
import onnx
import tensorflow as tf

from training.learner import dataset, epochs, loop, network
from training.learner.config import Config, Diverged, NoSpace
from training.learner.export import export, save_weights
from training.learner.loop import Report
from training.learner.presets import PRESETS, TRAINING_DIGITS
from training.learner.result import Reader, Result, Waiting, epoch_report, evaluate, validated

EXPORT_CHECK_DIGITS = 256


def fit(config: Config, report: Report, stop: threading.Event) -> Result | None:
    """Train, test and export; None when `stop` was set before the last epoch was done.

    Raises DatasetError, Diverged, ExportMismatch and NoSpace.
    """
    network.share_cores()
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
) -> tuple[keras.Model, Reader] | None:
    """The epochs that have no row yet, from the run's source of pictures; None when stopped.

    With the model comes its compiled reader, which validation may have used already.
    """
    preset = PRESETS[config.preset]
    waiting = Waiting(report)
    with epochs.source(config, digits, waiting.progress) as source:
        model, done = start(config, len(digits)), config.resumed_after_epoch
        step, read = network.compiled_step(model, preset), network.reader(model)
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


@contextmanager
def averaged(model: keras.Model, last: bool) -> Iterator[None]:
    """The averaged weights in the model's place, where the preset averages; for good after the last epoch.

    Validation reads by them too.
    """
    if not model.optimizer.use_ema:
        yield
        return
    trained = model.get_weights()
    model.optimizer.finalize_variable_values(model.trainable_variables)
    yield
    if not last:
        model.set_weights(trained)


def check_finite(model: keras.Model, epoch: int) -> None:
    """Raises Diverged. The loss alone does not tell: oneDNN's ReLU turns NaN into 0, and the loss stays a number."""
    if not all(np.isfinite(weights).all() for weights in model.get_weights()):
        raise Diverged(f"The training diverged in epoch {epoch}: try a lower learning rate.")


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


def library_versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "onnx": onnx.__version__,
    }
