"""The pool of synthetic drawings of a run, drawn once and kept in its folder."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from training.learner.config import Config
from training.learner.handwriting import pen
from training.learner.handwriting.non_digits import generate_non_digits

FILE = "drawings.uint8"
POOL = 2.2  # drawings in the pool for each drawing in an epoch
PICTURE = (28, 28)
PROGRESS_PICTURES = 50  # between two calls of `progress`: a tenth of a second
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pool:
    """Prepared pictures, uint8 [N, 28, 28]: `digits` with their `labels` int64 [N], and `non_digits`."""

    digits: NDArray[np.uint8]
    labels: NDArray[np.int64]
    non_digits: NDArray[np.uint8]


def load_or_draw(config: Config, digits: int, non_digits: int, progress: Callable[[float], object]) -> Pool:
    """Return the pool for epochs with `digits` synthetic digits and `non_digits` pictures of no digit.

    Loads the pictures of an earlier attempt, or draws and keeps them. `progress` gets the share that is drawn, 0 to 1.
    """
    labels = np.repeat(np.arange(10), -(-round(digits * POOL) // 10))
    total = len(labels) + round(non_digits * POOL)
    pictures = load(config, total)
    if pictures is None:
        pictures = np.empty((total, *PICTURE), np.uint8)
        drawn = chain(pen.digits(labels, config.seed), generate_non_digits(total - len(labels), config.seed))
        for done, picture in enumerate(drawn, 1):
            pictures[done - 1] = np.rint(picture * 255)
            if done % PROGRESS_PICTURES == 0 or done == total:
                progress(done / total)
        keep(config, pictures)
    return Pool(pictures[: len(labels)], labels, pictures[len(labels) :])


def load(config: Config, count: int) -> NDArray[np.uint8] | None:
    """Return the kept pictures, or None if they are missing or incomplete."""
    file = config.folder / FILE
    content = file.read_bytes() if file.exists() else b""
    whole = len(content) == count * PICTURE[0] * PICTURE[1]
    return np.frombuffer(content, np.uint8).reshape(-1, *PICTURE) if whole else None


def keep(config: Config, pictures: NDArray[np.uint8]) -> None:
    """Write the pictures to a draft and rename it. On a full disk the next attempt draws again."""
    draft = config.attempt_folder / FILE
    try:
        draft.write_bytes(pictures.tobytes())
        draft.replace(config.folder / FILE)
    except OSError as error:
        logger.warning("the drawings are not kept: %s", error)
        draft.unlink(missing_ok=True)
