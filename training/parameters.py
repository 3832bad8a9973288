"""A run's parameters: their names, in the order that people see, and their bounds. Plain Python."""

from typing import NamedTuple

TRAINING_DIGITS = 60_000


class Bounds(NamedTuple):
    """The smallest and the largest value that a request may give."""

    minimum: float
    maximum: float


BOUNDS = {
    "epochs": Bounds(1, 100),
    "batch_size": Bounds(1, 4096),
    "learning_rate": Bounds(1e-7, 1.0),
    "samples": Bounds(16, TRAINING_DIGITS),
    "seed": Bounds(0, 2**31 - 1),
}
PARAMETERS = (*BOUNDS, "activate")
