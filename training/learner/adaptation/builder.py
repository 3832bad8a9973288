"""The pictures of one epoch of `adapt`: corrections, digits with their habits, and what must not be forgotten."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.learner import dataset
from training.learner.adaptation import replay
from training.learner.adaptation.corrections import Corrections
from training.learner.adaptation.moments import HabitTransfer
from training.learner.adaptation.teacher import Teacher
from training.learner.handwriting import augmentation

Pictures = NDArray[np.float32]  # [N, 28, 28], ink 1.0 on 0.0
Targets = NDArray[np.float32]  # [N, 10]
Rng = np.random.Generator

# Candidates of an epoch, and how many of them it trains on: those of which the teacher is least sure, and others at
# random, so that nothing that it knows is never seen.
CANDIDATES, UNSUREST, OTHERS = 10_000, 4_200, 1_300  # for MNIST's digits, and the same for synthetic ones
SEARCHED, HARDEST = 40_000, 2_500  # of MNIST's digits as they are; the hardest are in every epoch
NON_DIGIT_CANDIDATES, NON_DIGITS = 4_000, 2_400
# Corrections and digits with their habits: those that the teacher does not know, and some that it does.
COPIES, MAX_COPIES, MAX_TAUGHT = 3_200, 40, 3_000
CORRECTED, KNOWN_CORRECTED = 1_700, 400
TRANSFERRED, HABITUAL, KNOWN_HABITUAL = 3_000, 700, 250
KNOWN = 0.9  # the probability of its label from which on the teacher knows a picture
DIGIT = 0.5  # the confidence from which on it takes a picture of no digit for a digit
SMOOTHING = 0.03  # of the labels
HABIT = augmentation.Strength(
    rotation=5, shear=0.12, stretch=0.1, smallest=0.92, largest=1.06, shift=0.5, elastic=0.4, thinner=0.3, thicker=0.4
)


class Part(NamedTuple):
    pictures: Pictures
    targets: Targets


def epoch_size(taught: int) -> int:
    """Return the most pictures that an epoch with `taught` corrections has."""
    corrected = min(CORRECTED + KNOWN_CORRECTED, copies_of(taught) * taught)
    habitual = HABITUAL + KNOWN_HABITUAL if taught else 0
    return 2 * (UNSUREST + OTHERS) + HARDEST + NON_DIGITS + corrected + habitual


def copies_of(taught: int) -> int:
    """Return how many augmented copies of each correction are candidates in an epoch."""
    return min(MAX_COPIES, -(-COPIES // max(taught, 1)))


class AdaptationBuilder:
    """Builds epochs that depend on their number, the run's seed, the corrections and the teacher alone."""

    def __init__(self, seed: int, digits: dataset.Digits, corrections: Corrections, teacher: Teacher) -> None:
        self._seed, self._digits, self._teacher = seed, digits, teacher
        self._taught = corrections.taught
        self._drawings = replay.load()
        self._transfer = HabitTransfer(self._taught, digits)
        self._hardest = self._search_hardest()

    def build(self, number: int, chunk_done: Callable[[], object] = lambda: None) -> tuple[NDArray[np.uint8], Targets]:
        """Return the pictures uint8 [N, 28, 28] of one epoch in random order, and their targets [N, 10]."""
        rng = np.random.default_rng((self._seed, number))
        parts = [
            self._hardest,
            self._replayed_digits(rng, chunk_done),
            self._replayed_drawings(rng, chunk_done),
            self._replayed_non_digits(rng, chunk_done),
            self._corrections(rng, chunk_done),
            self._habits(rng, chunk_done),
        ]
        pictures, targets = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        order = rng.permutation(len(targets))
        return np.rint(pictures[order] * 255).astype(np.uint8), targets[order]

    def _search_hardest(self) -> Part:
        rows = np.random.default_rng(self._seed).permutation(len(self._digits))[:SEARCHED]
        answers = self._teacher.predict(self._digits.images[rows])
        hardest = least_sure(answers, self._digits.labels[rows])[:HARDEST]
        return Part(self._digits.images[rows[hardest], ..., 0], answers[hardest])

    def _replayed_digits(self, rng: Rng, chunk_done: Callable[[], object]) -> Part:
        rows = rng.choice(len(self._digits), min(CANDIDATES, len(self._digits)), replace=False)
        pictures = augment(self._digits.images[rows, ..., 0], rng, augmentation.WEAK, chunk_done)
        return self._least_sure(pictures, self._digits.labels[rows], rng)

    def _replayed_drawings(self, rng: Rng, chunk_done: Callable[[], object]) -> Part:
        rows = rng.choice(len(self._drawings.labels), CANDIDATES, replace=False)
        halves = np.array_split(self._drawings.digits[rows], 2)
        strengths = (augmentation.WEAK, augmentation.Strength())
        changed = [augment(half, rng, strength, chunk_done) for half, strength in zip(halves, strengths, strict=True)]
        return self._least_sure(np.concatenate(changed), self._drawings.labels[rows], rng)

    def _replayed_non_digits(self, rng: Rng, chunk_done: Callable[[], object]) -> Part:
        rows = rng.choice(len(self._drawings.non_digits), NON_DIGIT_CANDIDATES, replace=False)
        pictures = augment(self._drawings.non_digits[rows], rng, augmentation.WEAK, chunk_done)
        answers = self._teacher.predict(pictures)
        surest = np.argsort(-answers.max(axis=1), kind="stable")[:NON_DIGITS]
        return Part(pictures[surest], unsure(answers[surest]))

    def _corrections(self, rng: Rng, chunk_done: Callable[[], object]) -> Part:
        count = len(self._taught)
        rows = rng.choice(count, min(count, MAX_TAUGHT), replace=False)
        rows = np.repeat(rows, copies_of(count))
        pictures = augment(self._taught.images[rows, ..., 0], rng, HABIT, chunk_done)
        return self._least_known(pictures, self._taught.labels[rows], CORRECTED, KNOWN_CORRECTED, rng)

    def _habits(self, rng: Rng, chunk_done: Callable[[], object]) -> Part:
        pictures, labels = self._transfer.draw(TRANSFERRED, rng)
        pictures = augment(pictures, rng, augmentation.WEAK, chunk_done)
        return self._least_known(pictures, labels, HABITUAL, KNOWN_HABITUAL, rng)

    def _least_sure(self, pictures: Pictures, labels: NDArray[np.int64], rng: Rng) -> Part:
        """Choose among replayed digits that the teacher predicts correctly, and keep its probabilities."""
        targets = self._teacher.predict(pictures)
        by_confidence = least_sure(targets, labels)
        others = rng.permutation(by_confidence[UNSUREST:])[:OTHERS]
        chosen = np.concatenate([by_confidence[:UNSUREST], others])
        return Part(pictures[chosen], targets[chosen])

    def _least_known(self, pictures: Pictures, labels: NDArray[np.int64], most: int, most_known: int, rng: Rng) -> Part:
        """Choose among pictures to learn. What the teacher knows already keeps its probabilities."""
        answers = self._teacher.predict(pictures)
        is_digit = labels < dataset.NO_DIGIT
        of_label = answers[np.arange(len(labels)), np.where(is_digit, labels, 0)]
        known = np.where(is_digit, of_label >= KNOWN, answers.max(axis=1, initial=0) < DIGIT)
        to_learn = rng.permutation(np.flatnonzero(~known))[:most]
        kept = rng.permutation(np.flatnonzero(known))[:most_known]
        return Part(
            np.concatenate([pictures[to_learn], pictures[kept]]),
            np.concatenate([smoothed(labels[to_learn]), answers[kept]]),
        )


def least_sure(answers: Targets, labels: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the rows that are answered correctly, the least sure first."""
    correct = np.flatnonzero(answers.argmax(axis=1) == labels)
    return correct[np.argsort(answers[correct].max(axis=1), kind="stable")]


def augment(pictures: Pictures, rng: Rng, strength: augmentation.Strength, done: Callable[[], object]) -> Pictures:
    return augmentation.augment(pictures, rng, strength, np.ones(len(pictures), np.float32), done)


def smoothed(labels: NDArray[np.int64]) -> Targets:
    """Return the labels' targets, with a little probability for the other digits."""
    return dataset.TARGETS[labels] * np.float32(1 - SMOOTHING) + np.float32(SMOOTHING / 10)


def unsure(answers: Targets) -> Targets:
    """Return targets for pictures of no digit: halfway to no opinion, and no opinion where the teacher is sure.

    Halfway, because of an open loop it may say which digit it resembles most, although it is unsure.
    """
    sure = answers.max(axis=1, keepdims=True) >= DIGIT
    uniform = dataset.TARGETS[dataset.NO_DIGIT]
    return np.where(sure, uniform, (answers + uniform) / 2)
