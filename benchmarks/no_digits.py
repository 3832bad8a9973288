"""How much of what is not a digit the shipped model calls uncertain: ``python -m benchmarks.no_digits``.

1,000 pictures that share no code with those the preset `handwriting` is trained on: letters of a printed face, bent and
slanted; random walks of a pen; two of MNIST's test digits side by side; blots.
"""

import string
from collections.abc import Callable
from functools import cache

import numpy as np
from django.conf import settings
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from benchmarks.accuracy import shipped_classifier
from benchmarks.common import machine, table
from recognition.errors import BlankDrawing
from recognition.imaging import preprocess
from training.learner import dataset

SIDE = 280
LIKE_DIGITS = "BDIOQSZbgiloqsz"  # read as the digits that they look like, by people too
LETTERS = "".join(letter for letter in string.ascii_letters if letter not in LIKE_DIGITS)
Rng = np.random.Generator


def letter(rng: Rng, letters: str = LETTERS) -> Image.Image:
    image = Image.new("L", (SIDE, SIDE), 255)
    face = ImageFont.load_default(float(rng.uniform(110, 210)))
    pen = ImageDraw.Draw(image)
    width = int(rng.integers(0, 7))
    pen.text((SIDE / 2, SIDE / 2), str(rng.choice(list(letters))), fill=0, font=face, anchor="mm", stroke_width=width)
    angle, slant = np.deg2rad(rng.normal(0, 7)), rng.uniform(-0.25, 0.25)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ [[1, slant], [0, 1]]
    shift = SIDE / 2 - turn @ [SIDE / 2, SIDE / 2]
    (a, b), (c, d) = turn
    matrix = (a, b, shift[0], c, d, shift[1])
    return image.transform(image.size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC, fillcolor=255)


def look_alike(rng: Rng) -> Image.Image:
    return letter(rng, LIKE_DIGITS)


def scribble(rng: Rng) -> Image.Image:
    """A pen that wanders: its direction is a random walk."""
    steps = int(rng.integers(60, 240))
    heading = np.cumsum(rng.normal(0, rng.uniform(0.25, 0.9), steps)) + rng.uniform(0, 2 * np.pi)
    path = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], axis=1), axis=0)
    path -= path.min(axis=0)
    path = path / path.max() * rng.uniform(110, 220)
    path += (SIDE - path.max(axis=0)) / 2
    image = Image.new("L", (SIDE, SIDE), 255)
    ImageDraw.Draw(image).line([tuple(p) for p in path], fill=0, width=int(rng.integers(6, 22)), joint="curve")
    return image


def pair(rng: Rng) -> Image.Image:
    """Two of MNIST's test digits, touching or not."""
    left, right = test_digits()[rng.integers(0, 10_000, 2)]
    wide = np.concatenate([left[:, : 28 - int(rng.integers(2, 8))], right[:, int(rng.integers(2, 8)) :]], axis=1)
    return Image.fromarray(255 - wide).resize((wide.shape[1] * 5, 140), Image.Resampling.BICUBIC)


def blot(rng: Rng) -> Image.Image:
    """A blurred noise field cut at a level: patches with soft borders."""
    noise = Image.fromarray(rng.integers(0, 256, (SIDE, SIDE), dtype=np.uint8))
    field = np.asarray(noise.filter(ImageFilter.GaussianBlur(float(rng.uniform(18, 32)))), float)
    down, across = np.indices((SIDE, SIDE)) - SIDE / 2
    field -= np.hypot(down, across) / 280 * np.ptp(field) * 1.2
    return Image.fromarray(np.where(field > np.quantile(field, rng.uniform(0.75, 0.93)), 0, 255).astype(np.uint8))


@cache
def test_digits() -> NDArray[np.uint8]:
    """[10000, 28, 28]"""
    return np.rint(dataset.load(settings.MNIST_DIR, "t10k").images[..., 0] * 255).astype(np.uint8)


KINDS: dict[str, tuple[Callable[[Rng], Image.Image], int]] = {
    "letters": (letter, 400),
    "letters that look like digits": (look_alike, 50),
    "scribbles": (scribble, 250),
    "two digits": (pair, 200),
    "blots": (blot, 100),
}


def main() -> None:
    model, found = shipped_classifier(), {}
    for kind, (make, count) in KINDS.items():
        uncertain = 0
        for row in range(count):
            try:
                digit = preprocess(make(np.random.default_rng((11, row))))
                uncertain += bool(model.probabilities(digit[None]).max() < model.uncertain_below)
            except BlankDrawing:
                uncertain += 1
        found[kind] = count, uncertain
    counts, doubted = zip(*found.values(), strict=True)
    found["all"] = sum(counts), sum(doubted)
    rows = [[kind, str(count), f"{uncertain / count:.1%}"] for kind, (count, uncertain) in found.items()]
    print(machine())
    print(table(["not a digit", "pictures", "uncertain or refused"], rows))


if __name__ == "__main__":
    main()
