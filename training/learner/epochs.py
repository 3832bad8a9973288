"""The pictures of every epoch: MNIST's own, or augmented in a second process, the augmentation process."""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from training.learner import dataset
from training.learner.adaptation import corrections
from training.learner.adaptation.builder import AdaptationBuilder
from training.learner.adaptation.teacher import Teacher
from training.learner.config import Config, ProcessLost
from training.learner.handwriting import augmentation, drawings, styles
from training.learner.presets import PRESETS, TRAINING_DIGITS

EpochArrays = tuple[NDArray[np.uint8], NDArray[np.float32]]  # pictures [N, 28, 28], targets [N, 10]
Progress = Callable[[float | None], object]  # takes the share of drawings that is done, 0 to 1; None while augmenting
EXIT_SECONDS = 10.0  # for a process with a closed pipe
RESTYLED_SHARE = 0.3  # share of the zeros, ones and sevens that get another style


@dataclass(frozen=True)
class Epoch:
    """One epoch's pictures, float32 [M, 28, 28, 1] or uint8 [M, 28, 28], their targets, and the order of training."""

    images: NDArray[np.float32] | NDArray[np.uint8]
    targets: NDArray[np.float32]  # [M, 10]
    order: NDArray[np.int64] | None = None  # None: as stored

    def __len__(self) -> int:
        return len(self.targets if self.order is None else self.order)

    def batch(self, first: int, last: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return pictures float32 [N, 28, 28, 1], ink 1.0 on 0.0, and targets [N, 10]."""
        rows = slice(first, last) if self.order is None else self.order[first:last]
        images = self.images[rows]
        scaled = images.astype(np.float32)
        if images.dtype == np.uint8:
            scaled = scaled[..., np.newaxis] / np.float32(255)
        return scaled, self.targets[rows]


@contextmanager
def open_epochs(config: Config, digits: dataset.Digits, progress: Progress) -> Iterator[Iterator[Epoch]]:
    """Open the epochs that the attempt has yet to train; `progress` is called while the next one is not ready.

    Their pictures depend on the epoch's number and the run's seed alone. The augmentation process is one epoch ahead,
    and waits in `send` until the training process takes the epoch.
    """
    numbers = range(config.resumed_after_epoch + 1, config.epochs + 1)
    if not (PRESETS[config.preset].augmented or config.base):
        yield (shuffled(digits, config.seed, number) for number in numbers)
        return
    context = multiprocessing.get_context("spawn")
    parent_end, child_end = context.Pipe()
    process = context.Process(target=build_epochs, args=(child_end, config, numbers), name="augmentation", daemon=True)
    process.start()
    child_end.close()
    try:
        yield (receive_epoch(parent_end, process, progress) for _ in numbers)
    finally:
        process.kill()
        process.join()


def shuffled(digits: dataset.Digits, seed: int, number: int) -> Epoch:
    """Return all digits in the order of one epoch."""
    return Epoch(
        digits.images, dataset.TARGETS[digits.labels], np.random.default_rng((seed, number)).permutation(len(digits))
    )


def receive_epoch(pipe: Connection, process: BaseProcess, progress: Progress) -> Epoch:
    """Wait for an epoch. Raises ProcessLost after a signal, SystemExit after an exception, which is in the log."""
    try:
        while not isinstance(message := pipe.recv(), tuple):
            progress(message)
    except (EOFError, OSError):
        process.join(EXIT_SECONDS)
        if (code := process.exitcode or 0) < 0:
            raise ProcessLost(f"the augmentation process ended with signal {-code}") from None
        raise SystemExit(1) from None
    return Epoch(*message)


def build_epochs(pipe: Connection, config: Config, numbers: Iterable[int]) -> None:
    """Run the augmentation process: send progress and epochs until the pipe breaks with the training process."""
    with suppress(ConnectionError):
        builder = make_builder(config, pipe.send)
        for number in numbers:
            pipe.send(builder.build(number, partial(pipe.send, None)))


class Builder(Protocol):
    def build(self, number: int, chunk_done: Callable[[], object]) -> EpochArrays: ...


def make_builder(config: Config, progress: Progress) -> Builder:
    """Return what builds the epochs of the config's preset."""
    if config.base is None or config.corrections_file is None:
        return EpochBuilder(config, progress)
    digits, _ = dataset.load_parts(config)
    return AdaptationBuilder(
        config.seed, digits, corrections.load(config.corrections_file), Teacher(config.base.onnx_file)
    )


class EpochBuilder:
    """Augments a run's digits, and adds drawings from a pool that it keeps for all epochs."""

    def __init__(self, config: Config, progress: Progress = lambda share: None) -> None:
        preset = PRESETS[config.preset]
        self._seed = config.seed
        self._strongly_augmented_epochs = config.epochs - round(preset.settling * config.epochs)
        self._digits, _ = dataset.load_parts(config)
        share = len(self._digits) / TRAINING_DIGITS
        self._synthetic, self._non_digits = round(preset.synthetic * share), round(preset.non_digits * share)
        self._pool = drawings.load_or_draw(config, self._synthetic, self._non_digits, progress)

    def build(self, number: int, chunk_done: Callable[[], object] = lambda: None) -> EpochArrays:
        """Return one epoch: every digit and a sample of the drawings, each augmented, in random order."""
        rng = np.random.default_rng((self._seed, number))
        images, shrink = styles.restyle(self._digits.images[..., 0], self._digits.labels, rng, RESTYLED_SHARE)
        drawn, drawn_labels = self._pool.sample(self._synthetic, self._non_digits, rng)
        images = np.concatenate([images, drawn.astype(np.float32) / 255])
        shrink = np.concatenate([shrink, np.ones(len(drawn), np.float32)])
        labels = np.concatenate([self._digits.labels, drawn_labels])
        order = rng.permutation(len(labels))
        strength = augmentation.Strength() if number <= self._strongly_augmented_epochs else augmentation.WEAK
        changed = augmentation.augment(images[order], rng, strength, shrink[order], chunk_done)
        return np.rint(changed * 255).astype(np.uint8), dataset.TARGETS[labels[order]]
