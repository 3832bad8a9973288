"""Pictures of no digit, which teach the network to be uncertain."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognition.errors import BlankDrawing
from recognition.imaging.polarity import bounding_box
from recognition.imaging.preprocessing import centre, scale_to_box
from recognition.imaging.segmentation import Ink
from training.learner.handwriting.lines import Drawing, Rng
from training.learner.handwriting.non_digits.figures import (
    badge,
    bowl,
    disguised,
    half,
    invented,
    ligature,
    repeated,
    several,
    sigma,
    spiral,
    theta,
    word,
)
from training.learner.handwriting.non_digits.letters import glyph, letter
from training.learner.handwriting.non_digits.printed import printed
from training.learner.handwriting.non_digits.scribbles import blot, scribble, smudge
from training.learner.handwriting.pen import by_hand, render

PAPER = 255


def handwritten(draw: Callable[[Rng], Drawing]) -> Callable[[Rng], Image.Image]:
    return lambda rng: render(by_hand(draw(rng), rng), rng)


def unbent(draw: Callable[[Rng], Drawing]) -> Callable[[Rng], Image.Image]:
    return lambda rng: render(draw(rng), rng)


# How each kind is drawn, and its share.
KINDS: tuple[tuple[Callable[[Rng], Image.Image], float], ...] = (
    (handwritten(letter), 0.1),
    (handwritten(glyph), 0.27),
    (handwritten(invented), 0.1),
    (handwritten(ligature), 0.06),
    (handwritten(spiral), 0.02),
    (handwritten(bowl), 0.05),
    (handwritten(theta), 0.03),
    (handwritten(sigma), 0.03),
    (handwritten(disguised), 0.06),
    (half, 0.02),
    (unbent(scribble), 0.13),
    (unbent(several), 0.03),
    (unbent(word), 0.02),
    (unbent(printed), 0.05),
    (badge, 0.02),
    (blot, 0.005),
    (smudge, 0.005),
)


def generate_non_digits(count: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """Yield preprocessed pictures of no digit, float32 [28, 28]."""
    for row in range(count):
        rng = np.random.default_rng((seed, row))
        while True:
            make = KINDS[int(rng.choice(len(KINDS), p=[share for _, share in KINDS]))][0]
            with suppress(BlankDrawing):
                yield scale(make(rng))
                break


def generate_repeated(digits: NDArray[np.int64], seed: int) -> Iterator[NDArray[np.float32]]:
    """Yield a preprocessed picture of several of each digit, float32 [28, 28]."""
    for row, digit in enumerate(digits):
        rng = np.random.default_rng((seed, row))
        yield scale(render(repeated(int(digit), rng), rng))


def scale(image: Image.Image) -> NDArray[np.float32]:
    """Return all of the ink in MNIST's geometry; `preprocess` would leave out what stands beside the digit."""
    levels = np.asarray(image)
    box = bounding_box(levels < PAPER // 2)
    return centre(scale_to_box(Ink(levels, is_dark=True, background=PAPER, box=box, mask=None)))
