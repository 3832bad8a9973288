"""The corrections of a run: those that it is taught, those that validate an epoch, and those that only judge."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.learner import dataset

VALIDATION_PART = 16  # one correction in this number validates, apart from the held-out ones
MIN_VALIDATION = 8  # fewer digits say nothing: then all are taught, and no epoch is validated


@dataclass(frozen=True)
class Corrections:
    """Label 10 is no digit. `held_out_ids` int64 [N] are the database's."""

    taught: dataset.Digits
    validation: dataset.Digits  # digits only
    held_out: dataset.Digits
    held_out_ids: NDArray[np.int64]


def load(file: Path) -> Corrections:
    """Load the file that config.Config.corrections_file describes."""
    with np.load(file) as arrays:
        images, labels, held_out, ids = (arrays[name] for name in ("images", "labels", "held_out", "ids"))
    all_of_them = dataset.for_network(images, labels)
    validates = np.array([is_validation(image) for image in images], bool) & ~held_out & (labels < dataset.NO_DIGIT)
    if validates.sum() < MIN_VALIDATION:
        validates[:] = False
    taught, validation, judging = (np.flatnonzero(rows) for rows in (~held_out & ~validates, validates, held_out))
    return Corrections(all_of_them[taught], all_of_them[validation], all_of_them[judging], ids[judging])


def is_validation(image: NDArray[np.uint8]) -> bool:
    """Return whether a picture that is not held out validates; its SHA-256 decides, so that every run agrees."""
    return int(hashlib.sha256(image.tobytes()).hexdigest()[8:16], 16) % VALIDATION_PART == 0
