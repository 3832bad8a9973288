"""One attempt at a run with Keras: epochs, checkpoints, test and export."""

import platform
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import tensorflow as tf

from training.learner import dataset, epochs, loop, network
from training.learner.adaptation import corrections
from training.learner.adaptation.builder import epoch_size
from training.learner.adaptation.corrections import Corrections
from training.learner.config import Config, Diverged
from training.learner.export import export, save_weights
from training.learner.fine_tuning import average_with, compare_with, keep_doubt, load_weights
from training.learner.measures import DrawingProgress, evaluate, stopped_gaining, validate
from training.learner.presets import PRESETS, TRAINING_DIGITS
from training.learner.reports import Epoch, Result, SendReport, Validation

EXPORT_CHECK_DIGITS = 256


def fit(config: Config, send: SendReport, stop: threading.Event) -> Result | None:
    """Train, test and export. Returns None after a stop. Raises every LearnerError."""
    network.share_cores()
    send({"type": "phase", "phase": "loading"})
    digits, held_back = dataset.load_parts(config)
    test = dataset.load(config.mnist, "t10k")
    learnt = corrections.load(config.corrections_file) if config.corrections_file else None
    base_weights = load_weights(config.base) if config.base else None
    model = load_or_build(config, len(digits), learnt, base_weights)
    predict = network.compile_predict(model)
    validation = learnt.validation if learnt else held_back
    if not train(config, model, partial(validate, predict, validation), digits, send, stop):
        return None
    if base_weights:
        average_with(model, base_weights)
    send({"type": "phase", "phase": "evaluating"})
    figures = evaluate(config, predict, held_back, test)
    comparison = None
    if config.base and learnt:
        figures["uncertain_below"] = keep_doubt(config.base, predict, figures, held_back)
        comparison = compare_with(config.base, predict, figures, learnt, test)
    if stop.is_set():
        return None
    send({"type": "phase", "phase": "exporting"})
    checked = test.images[:EXPORT_CHECK_DIGITS]
    difference = export(model, config.model_file, checked, predict(checked))
    save_weights(model, config.keras_file)
    versions = library_versions()
    return Result(type="result", **figures, export_difference=difference, versions=versions, comparison=comparison)


def train(
    config: Config,
    model: keras.Model,
    validated: Callable[[], Validation],
    digits: dataset.Digits,
    send: SendReport,
    stop: threading.Event,
) -> bool:
    """Train the epochs that have no row yet. Returns False after a stop."""
    preset, losses = PRESETS[config.preset], [*config.earlier_val_losses]
    first = config.resumed_after_epoch + 1
    with epochs.open_epochs(config, digits, DrawingProgress(send).report) as remaining:
        step = network.compile_step(model, preset)
        for epoch, pictures in enumerate(remaining, first):
            if preset.adapts and stopped_gaining(losses):
                break
            if epoch == first:
                send({"type": "phase", "phase": "fitting"})
            network.seed_dropout(model, config.seed, epoch)
            began = time.perf_counter()
            means = loop.train_epoch(step, pictures, epoch, config.batch_size, send, stop)
            if means is None:
                return False
            if not all(np.isfinite(weights).all() for weights in model.get_weights()):
                # The loss may be finite: oneDNN's ReLU turns NaN into 0.
                raise Diverged(f"Training diverged in epoch {epoch}. Try a lower learning rate.")
            with averaged_weights(model):
                validation = validated()
            losses += [validation["val_loss"]] if validation["val_loss"] is not None else []
            save_checkpoint(config, model, epoch)
            rate, seconds = float(model.optimizer.learning_rate), round(time.perf_counter() - began, 3)
            send(Epoch(type="epoch", epoch=epoch, **means, **validation, learning_rate=rate, seconds=seconds))
            if stop.is_set():
                return False
    use_averaged_weights(model)
    return True


@contextmanager
def averaged_weights(model: keras.Model) -> Iterator[None]:
    """Put the averaged weights into the model for a while, if the preset averages."""
    trained = model.get_weights()
    use_averaged_weights(model)
    yield
    model.set_weights(trained)


def use_averaged_weights(model: keras.Model) -> None:
    """Replace the weights with their averages, if the preset averages."""
    if model.optimizer.use_ema:
        model.optimizer.finalize_variable_values(model.trainable_variables)


def load_or_build(
    config: Config, digits: int, learnt: Corrections | None, base_weights: list[Any] | None
) -> keras.Model:
    """Build a model with the state of the checkpoint to resume from, the base model's weights, or random ones.

    Its schedule is that of all epochs of this run, which may be more than those that the checkpoint was made for.
    """
    keras.utils.set_random_seed(config.seed)
    preset = PRESETS[config.preset]
    model = network.build(preset)
    if base_weights:
        model.set_weights(base_weights)
    share = digits / TRAINING_DIGITS
    pictures = digits + round(preset.synthetic * share) + round(preset.non_digits * share)
    if learnt:
        pictures = epoch_size(len(learnt.taught))
    network.compile_for(model, preset, config.learning_rate, -(-pictures // config.batch_size) * config.epochs)
    if config.resumed_after_epoch:
        restore(model, config.checkpoint(config.resumed_after_epoch))
    return model


def restore(model: keras.Model, checkpoint: Path) -> None:
    """Copy the weights and the optimizer's state, as its number of batches and its averages."""
    saved = keras.saving.load_model(checkpoint)
    model.optimizer.build(model.trainable_variables)
    model.set_weights(saved.get_weights())
    for variable, value in zip(model.optimizer.variables, saved.optimizer.variables, strict=True):
        if variable.shape:  # or the number of batches
            variable.assign(value)
    model.optimizer.iterations.assign(saved.optimizer.iterations)


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
