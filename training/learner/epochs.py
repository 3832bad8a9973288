"""The pictures of every epoch: MNIST's own, or augmented in a second process, the augmentation process."""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import numpy as np
from numpy.typing import NDArray

from training.learner import dataset
from training.learner.config import Config, ProcessLost
from training.learner.handwriting import augmentation, drawings, styles
from training.learner.presets import PRESETS, TRAINING_DIGITS

EpochArrays = tuple[NDArray[np.uint8], NDArray[np.int64]]  # pictures [N, 28, 28], labels [N]; 10 is no digit
Progress = Callable[[float | None], object]  # takes the share of drawings that is done, 0 to 1; None while augmenting
NO_DIGIT = 10
EXIT_SECONDS = 10.0  # for a process with a closed pipe
# The last epochs change digits less, so that they resemble real drawings.
WEAK_AUGMENTATION = augmentation.Strength(
    rotation=6, shear=0.15, stretch=0.1, smallest=0.92, largest=1.06, shift=0.5, elastic=0.35, thinner=0.3, thicker=0.4
)
RESTYLED_SHARE = 0.3  # share of the zeros, ones and sevens that get another style
# A picture of no digit has uniform targets (Hendrycks, Mazeika, Dietterich: Deep Anomaly Detection with Outlier
# Exposure, ICLR 2019).
TARGETS = np.concatenate([np.eye(10), np.full((1, 10), 0.1)]).astype(np.float32)


@dataclass(frozen=True)
class Epoch:
    """One epoch's pictures, float32 [M, 28, 28, 1] or uint8 [M, 28, 28], their labels, and the order of training."""

    images: NDArray[np.float32] | NDArray[np.uint8]
    labels: NDArray[np.int64]
    order: NDArray[np.int64] | None = None  # None: as stored

    def __len__(self) -> int:
        return len(self.labels if self.order is None else self.order)

    def batch(self, first: int, last: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return pictures float32 [N, 28, 28, 1], ink 1.0 on 0.0, and targets [N, 10]."""
        rows = slice(first, last) if self.order is None else self.order[first:last]
        images = self.images[rows]
        scaled = images.astype(np.float32)
        if images.dtype == np.uint8:
            scaled = scaled[..., np.newaxis] / np.float32(255)
        return scaled, TARGETS[self.labels[rows]]


@contextmanager
def open_epochs(config: Config, digits: dataset.Digits, progress: Progress) -> Iterator[Iterator[Epoch]]:
    """Open the epochs that the attempt has yet to train; `progress` is called while the next one is not ready.

    Their pictures depend on the epoch's number and the run's seed alone. The augmentation process is one epoch ahead,
    and waits in `send` until the training process takes the epoch.
    """
    numbers = range(config.resumed_after_epoch + 1, config.epochs + 1)
    if not PRESETS[config.preset].augmented:
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
    return Epoch(digits.images, digits.labels, np.random.default_rng((seed, number)).permutation(len(digits)))


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
        builder = EpochBuilder(config, pipe.send)
        for number in numbers:
            pipe.send(builder.build(number, partial(pipe.send, None)))


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
        pool = self._pool
        digit_rows = rng.choice(len(pool.digits), self._synthetic, replace=False)
        non_digit_rows = rng.choice(len(pool.non_digits), self._non_digits, replace=False)
        added = np.concatenate([pool.digits[digit_rows], pool.non_digits[non_digit_rows]]).astype(np.float32) / 255
        images = np.concatenate([images, added])
        shrink = np.concatenate([shrink, np.ones(len(added), np.float32)])
        none = np.full(len(non_digit_rows), NO_DIGIT)
        labels = np.concatenate([self._digits.labels, pool.labels[digit_rows], none])
        order = rng.permutation(len(labels))
        strength = augmentation.Strength() if number <= self._strongly_augmented_epochs else WEAK_AUGMENTATION
        changed = augmentation.augment(images[order], rng, strength, shrink[order], chunk_done)
        return np.rint(changed * 255).astype(np.uint8), labels[order]
