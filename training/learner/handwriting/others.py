"""Pictures of no digit, which teach the network to be uncertain: letters, scribbles, several digits, blots."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from recognition.errors import BlankDrawing
from recognition.imaging import preprocess
from training.learner.handwriting.lines import Drawing, Knots, curve, either, loop, straight
from training.learner.handwriting.pen import CANVAS, UP, by_hand, render
from training.learner.handwriting.shapes import SHAPES

Rng = np.random.Generator

# Strokes of letters that no digit resembles: "c" is a curve, "l" a polyline.
LETTERS: dict[str, list[tuple[str, Knots]]] = {
    "A": [("l", [(0, 1), (0.4, 0), (0.8, 1)]), ("l", [(0.15, 0.62), (0.65, 0.62)])],
    "C": [("c", [(0.8, 0.15), (0.4, 0), (0, 0.5), (0.4, 1), (0.8, 0.85)])],
    "E": [("l", [(0.7, 0), (0, 0), (0, 1), (0.7, 1)]), ("l", [(0, 0.5), (0.55, 0.5)])],
    "F": [("l", [(0.7, 0), (0, 0), (0, 1)]), ("l", [(0, 0.48), (0.55, 0.48)])],
    "G": [
        ("c", [(0.8, 0.15), (0.4, 0), (0, 0.5), (0.4, 1), (0.8, 0.8)]),
        ("l", [(0.45, 0.55), (0.82, 0.55), (0.82, 1)]),
    ],
    "H": [("l", [(0, 0), (0, 1)]), ("l", [(0.7, 0), (0.7, 1)]), ("l", [(0, 0.5), (0.7, 0.5)])],
    "J": [("c", [(0.6, 0), (0.6, 0.7), (0.3, 1), (0, 0.75)]), ("l", [(0.25, 0), (0.9, 0)])],
    "K": [("l", [(0, 0), (0, 1)]), ("l", [(0.65, 0), (0, 0.55), (0.7, 1)])],
    "L": [("l", [(0, 0), (0, 1), (0.65, 1)])],
    "M": [("l", [(0, 1), (0.05, 0), (0.45, 0.7), (0.85, 0), (0.9, 1)])],
    "N": [("l", [(0, 1), (0, 0), (0.7, 1), (0.7, 0)])],
    "P": [("l", [(0, 0), (0, 1)]), ("c", [(0, 0.02), (0.5, 0.02), (0.65, 0.26), (0.5, 0.5), (0, 0.52)])],
    "R": [
        ("l", [(0, 0), (0, 1)]),
        ("c", [(0, 0.02), (0.5, 0.02), (0.65, 0.26), (0.5, 0.5), (0, 0.52)]),
        ("l", [(0.2, 0.52), (0.7, 1)]),
    ],
    "T": [("l", [(0, 0), (0.8, 0)]), ("l", [(0.4, 0), (0.4, 1)])],
    "U": [("c", [(0, 0), (0, 0.65), (0.35, 1), (0.7, 0.65), (0.7, 0)])],
    "V": [("l", [(0, 0), (0.35, 1), (0.7, 0)])],
    "W": [("l", [(0, 0), (0.22, 1), (0.45, 0.3), (0.68, 1), (0.9, 0)])],
    "X": [("l", [(0, 0), (0.7, 1)]), ("l", [(0.7, 0), (0, 1)])],
    "Y": [("l", [(0, 0), (0.35, 0.5), (0.7, 0)]), ("l", [(0.35, 0.5), (0.35, 1)])],
    "a": [
        ("c", [(0.6, 0.1), (0.25, 0), (0, 0.45), (0.25, 0.9), (0.6, 0.5)]),
        ("c", [(0.62, 0), (0.62, 0.7), (0.85, 0.95)]),
    ],
    "a2": [
        ("c", [(0.05, 0.15), (0.4, 0), (0.65, 0.25), (0.65, 1)]),
        ("c", [(0.65, 0.45), (0.2, 0.5), (0, 0.75), (0.25, 1), (0.65, 0.75)]),
    ],
    "d": [("c", [(0.55, 0.5), (0.25, 0.4), (0, 0.7), (0.25, 1), (0.55, 0.8)]), ("l", [(0.57, 0), (0.57, 1)])],
    "e": [("c", [(0.02, 0.5), (0.7, 0.45), (0.4, 0), (0, 0.5), (0.35, 1), (0.75, 0.85)])],
    "f": [("c", [(0.6, 0.05), (0.35, 0.03), (0.25, 0.3), (0.25, 1)]), ("l", [(0, 0.4), (0.55, 0.4)])],
    "h": [("l", [(0, 0), (0, 1)]), ("c", [(0, 0.6), (0.3, 0.4), (0.5, 0.55), (0.5, 1)])],
    "j": [("c", [(0.3, 0.25), (0.3, 0.85), (0.1, 1), (-0.1, 0.9)]), ("l", [(0.3, 0), (0.31, 0.03)])],
    "k": [("l", [(0, 0), (0, 1)]), ("l", [(0.45, 0.35), (0, 0.65), (0.5, 1)])],
    "m": [
        ("l", [(0, 0), (0, 1)]),
        ("c", [(0, 0.35), (0.3, 0.02), (0.5, 0.3), (0.5, 1)]),
        ("c", [(0.5, 0.35), (0.8, 0.02), (1, 0.3), (1, 1)]),
    ],
    "n": [("l", [(0, 0), (0, 1)]), ("c", [(0, 0.4), (0.4, 0.02), (0.7, 0.3), (0.7, 1)])],
    "p": [("l", [(0, 0), (0, 1)]), ("c", [(0, 0.1), (0.4, 0), (0.6, 0.3), (0.4, 0.6), (0, 0.52)])],
    "r": [("l", [(0, 0), (0, 1)]), ("c", [(0, 0.35), (0.25, 0.05), (0.55, 0.1)])],
    "t": [("c", [(0.25, 0), (0.25, 0.8), (0.4, 1), (0.6, 0.9)]), ("l", [(0, 0.3), (0.55, 0.3)])],
    "u": [("c", [(0, 0), (0, 0.75), (0.3, 1), (0.65, 0.7)]), ("l", [(0.65, 0), (0.65, 1)])],
    "w": [("c", [(0, 0), (0.2, 0.9), (0.45, 0.2), (0.7, 0.9), (0.9, 0)])],
}


def letter(rng: Rng) -> Image.Image:
    strokes = LETTERS[str(rng.choice(list(LETTERS)))]
    wide = rng.uniform(0.75, 1.25)
    made = [(curve if kind == "c" else straight)(np.array(knots) * [wide, 1], rng, 0.025) for kind, knots in strokes]
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


def others(count: int, seed: int, drawn: Callable[[], object]) -> NDArray[np.uint8]:
    """Return preprocessed pictures of no digit, uint8 [N, 28, 28]; call `drawn` after each."""
    images = np.empty((count, 28, 28), np.uint8)
    for row in range(count):
        rng = np.random.default_rng((seed, row))
        while True:
            make = KINDS[int(rng.choice(len(KINDS), p=[share for _, share in KINDS]))][0]
            try:
                images[row] = np.rint(preprocess(make(rng)) * 255)
                break
            except BlankDrawing:
                continue
        drawn()
    return images
