"""Pictures of no digit, which teach the network to be uncertain: letters, scribbles, several digits, blots."""

import re
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from recognition.errors import BlankDrawing
from recognition.imaging import preprocess
from training.learner.handwriting.lines import Drawing, Rng, curve, either, loop, straight
from training.learner.handwriting.pen import CANVAS, UP, by_hand, render
from training.learner.handwriting.shapes import SHAPES

# The strokes of letters that no digit resembles, as in SVG's paths: L is a polyline and C a curve through the points.
LETTERS = {
    "A": "L 0,1 0.4,0 0.8,1 L 0.15,0.62 0.65,0.62",
    "C": "C 0.8,0.15 0.4,0 0,0.5 0.4,1 0.8,0.85",
    "E": "L 0.7,0 0,0 0,1 0.7,1 L 0,0.5 0.55,0.5",
    "F": "L 0.7,0 0,0 0,1 L 0,0.48 0.55,0.48",
    "G": "C 0.8,0.15 0.4,0 0,0.5 0.4,1 0.8,0.8 L 0.45,0.55 0.82,0.55 0.82,1",
    "H": "L 0,0 0,1 L 0.7,0 0.7,1 L 0,0.5 0.7,0.5",
    "J": "C 0.6,0 0.6,0.7 0.3,1 0,0.75 L 0.25,0 0.9,0",
    "K": "L 0,0 0,1 L 0.65,0 0,0.55 0.7,1",
    "L": "L 0,0 0,1 0.65,1",
    "M": "L 0,1 0.05,0 0.45,0.7 0.85,0 0.9,1",
    "N": "L 0,1 0,0 0.7,1 0.7,0",
    "P": "L 0,0 0,1 C 0,0.02 0.5,0.02 0.65,0.26 0.5,0.5 0,0.52",
    "R": "L 0,0 0,1 C 0,0.02 0.5,0.02 0.65,0.26 0.5,0.5 0,0.52 L 0.2,0.52 0.7,1",
    "T": "L 0,0 0.8,0 L 0.4,0 0.4,1",
    "U": "C 0,0 0,0.65 0.35,1 0.7,0.65 0.7,0",
    "V": "L 0,0 0.35,1 0.7,0",
    "W": "L 0,0 0.22,1 0.45,0.3 0.68,1 0.9,0",
    "X": "L 0,0 0.7,1 L 0.7,0 0,1",
    "Y": "L 0,0 0.35,0.5 0.7,0 L 0.35,0.5 0.35,1",
    "a": "C 0.6,0.1 0.25,0 0,0.45 0.25,0.9 0.6,0.5 C 0.62,0 0.62,0.7 0.85,0.95",
    "a2": "C 0.05,0.15 0.4,0 0.65,0.25 0.65,1 C 0.65,0.45 0.2,0.5 0,0.75 0.25,1 0.65,0.75",
    "d": "C 0.55,0.5 0.25,0.4 0,0.7 0.25,1 0.55,0.8 L 0.57,0 0.57,1",
    "e": "C 0.02,0.5 0.7,0.45 0.4,0 0,0.5 0.35,1 0.75,0.85",
    "f": "C 0.6,0.05 0.35,0.03 0.25,0.3 0.25,1 L 0,0.4 0.55,0.4",
    "h": "L 0,0 0,1 C 0,0.6 0.3,0.4 0.5,0.55 0.5,1",
    "j": "C 0.3,0.25 0.3,0.85 0.1,1 -0.1,0.9 L 0.3,0 0.31,0.03",
    "k": "L 0,0 0,1 L 0.45,0.35 0,0.65 0.5,1",
    "m": "L 0,0 0,1 C 0,0.35 0.3,0.02 0.5,0.3 0.5,1 C 0.5,0.35 0.8,0.02 1,0.3 1,1",
    "n": "L 0,0 0,1 C 0,0.4 0.4,0.02 0.7,0.3 0.7,1",
    "p": "L 0,0 0,1 C 0,0.1 0.4,0 0.6,0.3 0.4,0.6 0,0.52",
    "r": "L 0,0 0,1 C 0,0.35 0.25,0.05 0.55,0.1",
    "t": "C 0.25,0 0.25,0.8 0.4,1 0.6,0.9 L 0,0.3 0.55,0.3",
    "u": "C 0,0 0,0.75 0.3,1 0.65,0.7 L 0.65,0 0.65,1",
    "w": "C 0,0 0.2,0.9 0.45,0.2 0.7,0.9 0.9,0",
}


def letter(rng: Rng) -> Image.Image:
    path = LETTERS[str(rng.choice(list(LETTERS)))]
    wide = rng.uniform(0.75, 1.25)
    made = []
    for kind, numbers in re.findall("([LC])([^LC]+)", path):
        knots = np.fromstring(numbers.replace(",", " "), sep=" ").reshape(-1, 2) * [wide, 1]
        made.append((curve if kind == "C" else straight)(knots, rng, 0.025))
    if either(rng, 0.3):  # serifs
        low = max((s[s[:, 1].argmax()] for s in made), key=lambda p: p[1])
        made.append(straight([(low[0] - 0.15, low[1]), (low[0] + 0.15, low[1])], rng, 0.01))
    return render(by_hand(made, rng), rng)


def scribble(rng: Rng) -> Image.Image:
    knots = rng.normal(0, 0.35, (int(rng.integers(5, 26)), 2)) * [rng.uniform(0.5, 1.5), 1]
    made: Drawing = [curve(knots, rng, 0) if either(rng, 0.65) else straight(knots, rng, 0)]
    if either(rng, 0.3):
        x, y = rng.normal(0, 0.3, 2)
        wide, high = rng.uniform(0.1, 0.5, 2)
        made.append(loop(x, y, wide, high, rng.uniform(0, 360), rng.uniform(200, 900), rng))
    return render(made, rng)


def several(rng: Rng) -> Image.Image:
    """Draw two digits, or sometimes three, side by side."""
    made: Drawing = []
    right = 0.0
    for _ in range(2 if either(rng, 0.85) else 3):
        digit = by_hand(SHAPES[int(rng.integers(10))](rng), rng)
        whole = np.concatenate(digit)
        low, high = whole.min(axis=0), whole.max(axis=0)
        scale = rng.uniform(0.85, 1.1) / max(high[1] - low[1], 0.3)
        made += [(stroke - [low[0], (low[1] + high[1]) / 2]) * scale + [right, rng.normal(0, 0.06)] for stroke in digit]
        right += (high[0] - low[0]) * scale + rng.uniform(0.02, 0.4)
    return render(made, rng)


def blot(rng: Rng) -> Image.Image:
    image = Image.new("L", (CANVAS * UP, CANVAS * UP), 255)
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(1, 5))):
        angle = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(5, 30))))
        reach = rng.uniform(25, 100) * rng.uniform(1 - rng.uniform(0, 0.6), 1, len(angle)) * UP / 2
        x, y = (CANVAS + rng.normal(0, 15, 2)) * UP / 2
        wide = rng.uniform(0.5, 1.5)
        draw.polygon([(x + wide * r * np.cos(a), y + r * np.sin(a)) for r, a in zip(reach, angle, strict=True)], fill=0)
    return image.reduce(UP)


KINDS = ((letter, 0.5), (scribble, 0.24), (several, 0.18), (blot, 0.08))


def generate_non_digits(count: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """Yield preprocessed pictures of no digit, float32 [28, 28]."""
    for row in range(count):
        rng = np.random.default_rng((seed, row))
        while True:
            make = KINDS[int(rng.choice(len(KINDS), p=[share for _, share in KINDS]))][0]
            with suppress(BlankDrawing):
                yield preprocess(make(rng))
                break
