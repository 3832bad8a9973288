"""The pool of synthetic drawings of a run, drawn once and kept in its folder."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from training.learner.config import Config
from training.learner.dataset import NO_DIGIT, REPEATED
from training.learner.handwriting import pen
from training.learner.handwriting.lines import Rng
from training.learner.handwriting.non_digits import generate_non_digits, generate_repeated

FILE = "drawings.uint8"
REPEATED_SHARE = 0.03  # of the pictures of no digit: several of one digit
POOL = 2.2  # drawings in the pool for each drawing in an epoch
PICTURE = (28, 28)
PROGRESS_PICTURES = 50  # between two calls of `progress`: a tenth of a second
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pool:
    """Prepared `pictures` uint8 [N, 28, 28] of digits and of no digit, and their `labels` int64 [N], 0 to 20."""

    pictures: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def sample(self, digits: int, non_digits: int, rng: Rng) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Return pictures of so many digits, then of so many that show no digit, each at most once, and labels."""
        is_digit = self.labels < NO_DIGIT
        kinds = (is_digit, digits), (~is_digit, non_digits)
        rows = np.concatenate([rng.choice(np.flatnonzero(kind), count, replace=False) for kind, count in kinds])
        return self.pictures[rows], self.labels[rows]


def load_or_draw(config: Config, digits: int, non_digits: int, progress: Callable[[float], object]) -> Pool:
    """Return the pool for epochs with `digits` synthetic digits and `non_digits` pictures of no digit.

    Loads the pictures of an earlier attempt, or draws and keeps them. `progress` gets the share that is drawn, 0 to 1.
    """
    shown = np.repeat(np.arange(10), -(-round(digits * POOL) // 10))
    others = round(non_digits * POOL)
    repeated = np.resize(np.arange(10), round(others * REPEATED_SHARE))
    none = np.full(others - len(repeated), NO_DIGIT)
    labels = np.concatenate([shown, none, REPEATED + repeated])
    total = len(labels)
    pictures = load(config, total)
    if pictures is None:
        pictures = np.empty((total, *PICTURE), np.uint8)
        drawn = chain(
            pen.digits(shown, config.seed),
            generate_non_digits(len(none), config.seed),
            generate_repeated(repeated, config.seed),
        )
        for done, picture in enumerate(drawn, 1):
            pictures[done - 1] = np.rint(picture * 255)
            if done % PROGRESS_PICTURES == 0 or done == total:
                progress(done / total)
        keep(config, pictures)
    return Pool(pictures, labels)


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
