"""What people draw, and the labels that they give it."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from training.learner import dataset
from training.learner.config import Config

CANVAS, MIDDLE, SCALE = 280, 13.5, 8.0  # pixels a side of a drawing; the middle of a 28x28 picture; pixels in one
STRAIGHT = np.array([[1.0, 0.0], [0.0, 1.0]])
HANDS = {
    "narrow": np.array([[0.4, 0.0], [0.0, 1.0]]),  # 0.4 of the width
    "slanted": np.array([[0.4, -0.4], [0.0, 1.0]]),  # slanted by 45 degrees, then 0.4 of the width
}
SENDERS = 30  # honest people, each with an address
SEED = 7


class Drawing(NamedTuple):
    png: bytes
    digit: int


class Sent(NamedTuple):
    """A correction as it is sent."""

    png: bytes
    label: int
    is_wrong: bool
    sender: int


@dataclass(frozen=True)
class Scenario:
    title: str
    wrong_share: float = 0.0  # of the honest senders' labels
    sevens: int = 0  # straight ones that a sender of its own calls sevens


SCENARIOS = {
    "none": Scenario("none"),
    "5": Scenario("5 %", wrong_share=0.05),
    "20": Scenario("20 %", wrong_share=0.2),
    "50": Scenario("50 %", wrong_share=0.5),
    "sender": Scenario("one sender: 1 is 7", sevens=60),
}


@dataclass(frozen=True)
class Drawings:
    """What teaches, and what judges, in the hand of those who teach and straight; no digit is in two of them."""

    taught: list[Drawing]
    ones: list[Drawing]
    same_hand: list[Drawing]
    straight: list[Drawing]


def drawn(digits: dataset.Digits, hand: NDArray[np.float64]) -> list[Drawing]:
    """Return digits as PNG drawings, white on black, in a hand: what x and y become, seen from the middle."""
    shift = CANVAS / 2 - SCALE * hand @ [MIDDLE, MIDDLE]
    matrix = np.column_stack([SCALE * hand, shift])
    found = []
    for image, digit in zip(digits.images[..., 0], digits.labels, strict=True):
        canvas = cv2.warpAffine(image, matrix, (CANVAS, CANVAS), flags=cv2.INTER_CUBIC)
        levels = np.rint(np.clip(canvas, 0, 1) * 255).astype(np.uint8)
        found.append(Drawing(cv2.imencode(".png", levels)[1].tobytes(), int(digit)))
    return found


def drawings(hand: str, taught: int = 300, ones: int = 60, same_hand: int = 600, straight: int = 1000) -> Drawings:
    """Return so many drawings of each kind, always the same."""
    config = Config(
        preset="handwriting", epochs=1, batch_size=1, learning_rate=0.0, samples=1, seed=SEED,
        folder=Path(), mnist=settings.MNIST_DIR,
    )  # fmt: skip
    _, held_back = dataset.load_parts(config)
    test = dataset.load(settings.MNIST_DIR, "t10k")
    rest = held_back[taught + same_hand :]
    return Drawings(
        taught=drawn(held_back[:taught], HANDS[hand]),
        ones=drawn(rest[np.flatnonzero(rest.labels == 1)[:ones]], STRAIGHT),
        same_hand=drawn(held_back[taught : taught + same_hand], HANDS[hand]),
        straight=drawn(test[:: len(test) // straight][:straight], STRAIGHT),
    )


def corrections(scenario: Scenario, shown: Drawings) -> list[Sent]:
    """Return what is sent, in a mixed order."""
    rng = np.random.default_rng(SEED)
    wrong = set(rng.permutation(len(shown.taught))[: round(scenario.wrong_share * len(shown.taught))].tolist())
    found = []
    for row, (png, digit) in enumerate(shown.taught):
        label = (digit + int(rng.integers(1, 10))) % 10 if row in wrong else digit
        found.append(Sent(png, label, row in wrong, row % SENDERS))
    found += [Sent(png, 7, True, SENDERS) for png, _ in shown.ones[: scenario.sevens]]
    return [found[row] for row in rng.permutation(len(found))]
