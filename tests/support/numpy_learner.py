"""Softmax regression in NumPy, for LEARNER in tests that are not about the network: an epoch takes some milliseconds.

It reports, checkpoints, resumes, stops and exports as `training.learner.trainer` does. NUMPY_LEARNER_BATCH_SECONDS in
the environment is the least that a batch takes, by default a network's pace, so that a run can be met at work. If
the file SLOW_PHASE in DATA_DIR names another phase, that one takes a minute.
"""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx.parser
from numpy.typing import NDArray
from onnx import numpy_helper

from tests.support.numpy_adaptation import Corrections, compare, is_over
from training.learner import dataset, epochs, loop
from training.learner.config import Config, Diverged
from training.learner.measures import DrawingProgress, evaluate, validate
from training.learner.presets import DECAY, DECAY_BATCHES
from training.learner.reports import Epoch, PhaseName, Result, SendReport

BATCH_SECONDS = float(os.environ.get("NUMPY_LEARNER_BATCH_SECONDS", "0.004"))
SLOW_PHASE, SLOW_SECONDS = "slow-phase", 60
PIXELS, STEEPER = 28 * 28, 100  # a network's learning rate is too low for one layer

MODEL = """<ir_version: 8, opset_import: ["": 17]>
regression (float[n, 28, 28, 1] digit) => (float[n, 10] probabilities) {
    flat = Flatten (digit)
    logits = Gemm (flat, weights, bias)
    probabilities = Softmax <axis = 1> (logits)
}"""


def wait_if_slow(phase: PhaseName) -> None:
    file = Path(os.environ.get("DATA_DIR", "")) / SLOW_PHASE
    if file.exists() and file.read_text() == phase:
        time.sleep(SLOW_SECONDS)


wait_if_slow("importing")


@contextmanager
def slow_phase(folder: Path, phase: PhaseName) -> Iterator[None]:
    """Let runs of this data folder wait a minute before a phase, so that they are met there."""
    file = folder / SLOW_PHASE
    file.write_text(phase)
    try:
        yield
    finally:
        file.unlink()


def fit(config: Config, send: SendReport, stop: threading.Event) -> Result | None:
    """Train, test and export as `trainer.fit` does; None when `stop` was set before the last epoch was done."""

    def enter(phase: PhaseName) -> None:
        send({"type": "phase", "phase": phase})
        wait_if_slow(phase)

    enter("loading")
    digits, held_back = dataset.load_parts(config)
    test = dataset.load(config.mnist, "t10k")
    corrections = Corrections.load(config)
    digits = corrections.added_to(digits)
    regression = Regression(config)
    if not train(regression, config, digits, held_back, send, stop):
        return None
    enter("evaluating")
    measured = evaluate(config, regression.read, held_back, test)
    if stop.is_set():
        return None
    enter("exporting")
    config.model_file.write_bytes(regression.as_onnx())
    config.keras_file.write_bytes(regression.weights.tobytes())
    versions = {"python": platform.python_version(), "numpy": np.__version__, "onnx": onnx.__version__}
    comparison = None
    if config.base:
        before = None if regression.base is None else Regression(config, regression.base).read
        comparison = compare(corrections, test, before, regression.read, measured["uncertain_below"])
    return Result(type="result", **measured, export_difference=0.0, versions=versions, comparison=comparison)


def train(
    regression: Regression,
    config: Config,
    digits: dataset.Digits,
    held_back: dataset.Digits,
    send: SendReport,
    stop: threading.Event,
) -> bool:
    """Train the epochs that have no row yet; return whether all are done. Raises Diverged."""
    first, losses = config.resumed_after_epoch + 1, [*config.earlier_val_losses]
    plain = replace(config, base=None, corrections_file=None)  # no replay: the digits and corrections as they are
    with epochs.open_epochs(plain, digits, DrawingProgress(send).report) as remaining:
        for number, pictures in enumerate(remaining, first):
            if is_over(config, losses):
                break
            if number == first:
                send({"type": "phase", "phase": "fitting"})
            began = time.perf_counter()
            with np.errstate(all="ignore"):
                means = loop.train_epoch(regression.step, pictures, number, config.batch_size, send, stop)
            if means is None:
                return False
            if not np.isfinite(regression.weights).all():
                raise Diverged(f"Training diverged in epoch {number}. Try a lower learning rate.")
            validation = validate(regression.read, held_back)
            losses.append(validation["val_loss"])
            regression.save(config, number)
            rate, seconds = regression.learning_rate, round(time.perf_counter() - began, 3)
            send(Epoch(type="epoch", epoch=number, **means, **validation, learning_rate=rate, seconds=seconds))
            if stop.is_set():
                return False
    return True


class Regression:
    """Its `weights` float32 [785, 10], the bias last: given, of the checkpoint or the base, or else new ones."""

    def __init__(self, config: Config, weights: NDArray[np.float32] | None = None) -> None:
        self.rate, self.batch_size, self.batches = config.learning_rate, config.batch_size, 0
        self.weights = np.random.default_rng(config.seed).normal(0, 0.01, (PIXELS + 1, 10)).astype(np.float32)
        self.base: NDArray[np.float32] | None = None  # None too if the base model is not a regression
        if config.base and config.base.keras_file.stat().st_size == self.weights.nbytes:
            self.base = np.fromfile(config.base.keras_file, np.float32).reshape(self.weights.shape)
            self.weights = self.base
        if weights is not None:
            self.weights = weights
        elif config.resumed_after_epoch:
            with config.checkpoint(config.resumed_after_epoch).open("rb") as file:
                self.weights, self.batches = np.load(file), int(np.load(file))

    @property
    def learning_rate(self) -> float:
        return float(self.rate * DECAY ** (self.batches // DECAY_BATCHES))

    def save(self, config: Config, epoch: int) -> None:
        draft = config.attempt_folder / "draft"
        with draft.open("wb") as file:
            np.save(file, self.weights)
            np.save(file, self.batches)
        draft.replace(config.checkpoint(epoch))

    def step(self, pictures: NDArray[np.float32], targets: NDArray[np.float32]) -> NDArray[np.float32]:
        """Update the weights once; see loop.Step."""
        time.sleep(BATCH_SECONDS)
        answers = self.read(pictures)
        gradient = with_bias(pictures).T @ (answers - targets) / self.batch_size  # a last batch may be of one digit
        self.weights = (self.weights - self.learning_rate * STEEPER * gradient).astype(np.float32)
        self.batches += 1
        losses = -(targets * np.log(np.maximum(answers, np.float32(1e-7)))).sum(axis=1)
        is_digit = targets.max(axis=1) == 1
        correct = is_digit & (answers.argmax(axis=1) == targets.argmax(axis=1))
        return np.array([losses.mean(), losses[is_digit].sum(), correct.sum(), is_digit.sum()], np.float32)

    def read(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """pictures [N, 28, 28, 1] -> probabilities [N, 10]."""
        logits = with_bias(pictures) @ self.weights
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        answers: NDArray[np.float32] = (raised / raised.sum(axis=1, keepdims=True)).astype(np.float32)
        return answers

    def as_onnx(self) -> bytes:
        """The same function as a model of the product's shape (recognition.prediction.classifier)."""
        model = onnx.parser.parse_model(MODEL)
        arrays = {"weights": self.weights[:-1], "bias": self.weights[-1]}
        model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in arrays.items())
        content: bytes = model.SerializeToString()
        return content


def with_bias(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    flat = pictures.reshape(len(pictures), PIXELS)
    return np.concatenate([flat, np.ones((len(flat), 1), np.float32)], axis=1)
