"""One attempt at a run with Keras: epochs, checkpoints, test and export."""

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
from training.learner.config import Config, Diverged
from training.learner.export import export, save_weights
from training.learner.measures import DrawingProgress, Predict, evaluate, validate
from training.learner.presets import PRESETS, TRAINING_DIGITS
from training.learner.reports import Epoch, Result, SendReport

EXPORT_CHECK_DIGITS = 256


def fit(config: Config, send: SendReport, stop: threading.Event) -> Result | None:
    """Train, test and export. Returns None after a stop. Raises DatasetError, Diverged and ExportMismatch."""
    network.share_cores()
    send({"type": "phase", "phase": "loading"})
    digits, held_back = dataset.load_parts(config)
    test = dataset.load(config.mnist, "t10k")
    trained = train(config, digits, held_back, send, stop)
    if trained is None:
        return None
    model, predict = trained
    send({"type": "phase", "phase": "evaluating"})
    figures = evaluate(predict, held_back, test)
    if stop.is_set():
        return None
    send({"type": "phase", "phase": "exporting"})
    checked = test.images[:EXPORT_CHECK_DIGITS]
    difference = export(model, config.model_file, checked, predict(checked))
    save_weights(model, config.keras_file)
    versions = library_versions()
    return Result(type="result", **figures, export_difference=difference, versions=versions, comparison=None)


def train(
    config: Config, digits: dataset.Digits, held_back: dataset.Digits, send: SendReport, stop: threading.Event
) -> tuple[keras.Model, Predict] | None:
    """Train the epochs that have no row yet. Returns the model and its compiled function, or None after a stop."""
    preset = PRESETS[config.preset]
    with epochs.open_epochs(config, digits, DrawingProgress(send).report) as remaining:
        model, first = load_or_build(config, len(digits)), config.resumed_after_epoch + 1
        step, predict = network.compile_step(model, preset), network.compile_predict(model)
        for epoch, pictures in enumerate(remaining, first):
            if epoch == first:
                send({"type": "phase", "phase": "fitting"})
            network.seed_dropout(model, config.seed, epoch)
            began = time.perf_counter()
            means = loop.train_epoch(step, pictures, epoch, config.batch_size, send, stop)
            if means is None:
                return None
            if not all(np.isfinite(weights).all() for weights in model.get_weights()):
                # The loss may be finite: oneDNN's ReLU turns NaN into 0.
                raise Diverged(f"Training diverged in epoch {epoch}. Try a lower learning rate.")
            with averaged_weights(model, keep=epoch == config.epochs):
                validation = validate(predict, held_back)
            save_checkpoint(config, model, epoch)
            rate, seconds = float(model.optimizer.learning_rate), round(time.perf_counter() - began, 3)
            send(Epoch(type="epoch", epoch=epoch, **means, **validation, learning_rate=rate, seconds=seconds))
            if stop.is_set():
                return None
    return model, predict


@contextmanager
def averaged_weights(model: keras.Model, keep: bool) -> Iterator[None]:
    """Put the averaged weights into the model, if the preset averages; `keep` leaves them there."""
    if not model.optimizer.use_ema:
        yield
        return
    trained = model.get_weights()
    model.optimizer.finalize_variable_values(model.trainable_variables)
    yield
    if not keep:
        model.set_weights(trained)


def load_or_build(config: Config, digits: int) -> keras.Model:
    """Load the checkpoint to resume from, or build a new model."""
    keras.utils.set_random_seed(config.seed)
    if config.resumed_after_epoch:
        return keras.saving.load_model(config.checkpoint(config.resumed_after_epoch))
    preset = PRESETS[config.preset]
    model = network.build(preset)
    share = digits / TRAINING_DIGITS
    pictures = digits + round(preset.synthetic * share) + round(preset.non_digits * share)
    network.compile_for(model, preset, config.learning_rate, -(-pictures // config.batch_size) * config.epochs)
    return model


def save_checkpoint(config: Config, model: keras.Model, epoch: int) -> None:
    """Save weights and optimizer after `epoch`, in a draft that is renamed, so that the file is always complete."""
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
