"""The pool of drawings that join a run's digits, drawn once for a run and kept in its folder."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from training.learner.config import Config
from training.learner.handwriting import others, pen

POOL = 2.2  # drawings made per drawing used in an epoch
PROGRESS_PICTURES = 50  # drawn between two calls of `progress`: a tenth of a second
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pool:
    """Prepared pictures, uint8 [N, 28, 28]: `digits` with their `labels` int64 [N], and `others`, which are none."""

    digits: NDArray[np.uint8]
    labels: NDArray[np.int64]
    others: NDArray[np.uint8]


def load_or_draw(config: Config, digits: int, not_digits: int, progress: Callable[[float], object]) -> Pool:
    """Return the pool for epochs that take so many drawings of digits and of no digits.

    An earlier attempt's pool is read again; a new one is kept for the next.
    `progress` gets the share that is drawn, 0 to 1.
    """
    if config.drawings_file.exists():
        with np.load(config.drawings_file) as arrays:
            return Pool(**arrays)
    each, no_digits = -(-round(digits * POOL) // 10), round(not_digits * POOL)
    counted = Counter(10 * each + no_digits, progress)
    pool = Pool(*pen.pool(each, config.seed, counted.add_one), others.others(no_digits, config.seed, counted.add_one))
    keep(pool, config)
    return pool


def keep(pool: Pool, config: Config) -> None:
    """Write the pool beside and rename it, so never torn. Without room for it the next attempt draws again."""
    draft = config.attempt_folder / "drawings.npz"
    try:
        np.savez(draft, **asdict(pool))
        draft.replace(config.drawings_file)
    except OSError as error:
        logger.warning("the drawings are not kept: %s", error)
        draft.unlink(missing_ok=True)


class Counter:
    """Counts drawn pictures and reports their share now and then."""

    def __init__(self, total: int, progress: Callable[[float], object]) -> None:
        self.total, self.progress, self.done = total, progress, 0

    def add_one(self) -> None:
        self.done += 1
        if self.done % PROGRESS_PICTURES == 0 or self.done == self.total:
            self.progress(self.done / self.total)
