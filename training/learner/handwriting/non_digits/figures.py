"""Characters of no script, and what is left of digits: mirrored, turned, cut, or several at once."""

import numpy as np
from PIL import Image, ImageDraw

from training.learner.handwriting.lines import Drawing, Rng, Stroke, curve, either, loop, straight
from training.learner.handwriting.non_digits.letters import glyph, letter
from training.learner.handwriting.pen import CANVAS, UP, by_hand, render
from training.learner.handwriting.shapes import SHAPES

MIRRORED, TURNED, UPSIDE_DOWN = (3, 4, 6, 7, 9), (2, 3, 4, 5, 6, 7, 9), (3, 4, 7)  # which stay no digit
# Digits and the side that is kept, where the half is no digit: half a one is a one, the head of a nine is a zero.
HALVES = (
    *((0, side) for side in ("top", "bottom")),
    *((3, side) for side in ("left", "bottom")),
    *((5, side) for side in ("right", "bottom")),
    *((4, "top"), (6, "right"), (8, "left"), (9, "left")),
)


def invented(rng: Rng) -> Drawing:
    """Return lines, arcs, hooks and loops that grow from one another."""
    made: Drawing = [stroke_from(rng.uniform(-0.2, 0.2, 2), rng)]
    for _ in range(int(rng.integers(2, 6))):
        other = made[int(rng.integers(len(made)))]
        start = other[int(rng.choice([0, len(other) // 2, -1]))] if either(rng, 0.75) else rng.uniform(-0.6, 0.6, 2)
        made.append(stroke_from(start, rng))
    return made


def stroke_from(start: np.ndarray, rng: Rng) -> Stroke:
    heading = rng.integers(8) * np.pi / 4 + rng.normal(0, 0.15)
    way = np.array([np.cos(heading), np.sin(heading)]) * rng.uniform(0.25, 1.0)
    aside = np.array([-way[1], way[0]]) * rng.uniform(0.3, 0.7) * rng.choice([-1, 1])
    kind = rng.random()
    if kind < 0.45:
        return straight([start, start + way], rng, 0.02)
    if kind < 0.7:  # an arc
        return curve([start, start + way / 2 + aside, start + way], rng, 0.02)
    if kind < 0.85:  # a hook
        return curve([start, start + 0.7 * way, start + way + 0.4 * aside, start + 0.8 * way + 0.8 * aside], rng, 0.02)
    wide, high = rng.uniform(0.08, 0.3, 2)
    return loop(float(start[0]), float(start[1]), wide, high, rng.uniform(0, 360), rng.uniform(300, 400), rng)


def theta(rng: Rng) -> Drawing:
    """Return a closed loop with a level bar, a dot or a cross: a slash would make it a zero."""
    wide = rng.uniform(0.22, 0.6)
    made: Drawing = [loop(0, 0, wide, 0.5, rng.normal(-80, 60), rng.choice([-1, 1]) * (360 + rng.uniform(0, 30)), rng)]
    reach, tilt = wide * rng.uniform(0.45, 1.3), rng.uniform(-0.15, 0.15) * wide
    middle = rng.normal(0, 0.06)
    made.append(straight([(-reach, middle + tilt), (reach, middle - tilt)], rng, 0.015))
    kind = rng.random()
    if kind < 0.12:
        made[1] = loop(0, middle, 0.04, 0.04, 0, 720, rng)
    elif kind < 0.25:
        made.append(
            straight([(tilt, middle - rng.uniform(0.4, 0.7)), (-tilt, middle + rng.uniform(0.4, 0.7))], rng, 0.02)
        )
    return made


def sigma(rng: Rng) -> Drawing:
    """Return a closed loop with a bar that leaves its top to the right or to both sides."""
    wide = rng.uniform(0.3, 0.6)
    ring = loop(0, 0, wide, 0.5, rng.uniform(-120, -60), rng.choice([-1, 1]) * rng.uniform(345, 375), rng)
    left, right = (0.0, rng.uniform(1.3, 2.4)) if either(rng, 0.8) else (rng.uniform(1.1, 1.8), rng.uniform(1.1, 1.8))
    return [ring, curve([(-left * wide, -0.5), (0.3 * wide, -0.52), (right * wide, -0.5)], rng, 0.03)]


def spiral(rng: Rng) -> Drawing:
    """Return a pen that turns inwards or outwards more often than in a six or a nine, at times with a tail."""
    turns = rng.uniform(1.7, 2.8)
    t = np.linspace(0, 1, 60)
    angle = rng.uniform(0, 2 * np.pi) + rng.choice([-1, 1]) * 2 * np.pi * turns * t
    reach = 0.5 * (1 - t * rng.uniform(0.6, 0.95))
    wide = rng.uniform(0.7, 1.1)
    made = [np.stack([wide * reach * np.cos(angle), reach * np.sin(angle)], axis=1)]
    if either(rng, 0.3):
        made.append(stroke_from(made[0][0], rng))
    return made


def ligature(rng: Rng) -> Drawing:
    """Return one stroke of four to seven arcs that changes direction more than once, as in many scripts of India."""
    ways = rng.choice([-1, 1], int(rng.integers(4, 8)))
    while np.count_nonzero(np.diff(ways)) < 2:
        ways = rng.choice([-1, 1], len(ways))
    bends = [way * rng.uniform(0.3, 1.5) * np.pi for way in ways]
    steps = np.concatenate([np.full(round(14 * rng.uniform(0.6, 1.4)), bend / 14) for bend in bends])
    headings = rng.uniform(0, 2 * np.pi) + steps.cumsum()
    return [np.stack([np.cos(headings), np.sin(headings)], axis=1).cumsum(axis=0)]


def bowl(rng: Rng) -> Drawing:
    """Return a loop that is open to the right as a C is, or to another side, at times with a dot or a stroke."""
    wide, high, gap = rng.uniform(0.3, 0.6), 0.5, rng.uniform(50, 150)
    side = rng.choice([0, 90, 180], p=[0.7, 0.1, 0.2]) + rng.normal(0, 8)
    made: Drawing = [loop(0, 0, wide, high, side + gap / 2, 360 - gap, rng)]
    if either(rng, 0.3):
        x, y = rng.uniform(-0.4, 0.4, 2)
        made.append(loop(x, y, 0.05, 0.05, 0, 720, rng) if either(rng, 0.5) else stroke_from(np.array([x, y]), rng))
    return made


def disguised(rng: Rng) -> Drawing:
    """Return a digit in a mirror, upside down or on its side."""
    kind = rng.random()
    if kind < 0.3:
        digit, change = rng.choice(MIRRORED), np.array([[-1, 0], [0, 1]])
    elif kind < 0.45:
        digit, change = rng.choice(UPSIDE_DOWN), np.array([[-1, 0], [0, -1]])
    else:
        digit, change = rng.choice(TURNED), np.array([[0, 1], [-1, 0]]) * rng.choice([-1, 1])
    return [stroke @ change for stroke in SHAPES[int(digit)](rng)]


def half(rng: Rng) -> Image.Image:
    """Draw a digit and cut off 42 to 58 % of it."""
    digit, side = HALVES[int(rng.integers(len(HALVES)))]
    image = render(by_hand(SHAPES[digit](rng), rng), rng)
    left, top, right, bottom = image.point(lambda level: 255 - level).getbbox() or (0, 0, 1, 1)
    share = rng.uniform(0.42, 0.58)
    across, down = round(left + share * (right - left)), round(top + share * (bottom - top))
    kept = {
        "left": (left, top, across, bottom),
        "right": (across, top, right, bottom),
        "top": (left, top, right, down),
        "bottom": (left, down, right, bottom),
    }[side]
    whole = Image.new("L", image.size, 255)
    whole.paste(image.crop(kept), kept[:2])
    return whole


def badge(rng: Rng) -> Image.Image:
    """Draw a filled shape with a character or two lines left white in it, as on an icon."""
    image = Image.new("L", (CANVAS * UP, CANVAS * UP), 255)
    draw, middle = ImageDraw.Draw(image), CANVAS * UP / 2
    wide, high = rng.uniform(70, 130, 2)
    corners = int(rng.choice([3, 4, 5, 6, 40]))
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False) + rng.choice([0, np.pi / 4, np.pi / 2])
    draw.polygon([(middle + wide * np.cos(a), middle + high * np.sin(a)) for a in angle], fill=0)
    figure = by_hand(glyph(rng) if either(rng, 0.6) else invented(rng), rng)
    whole = np.concatenate(figure)
    low, high = whole.min(axis=0), whole.max(axis=0)
    size, shift = rng.uniform(60, 150) / max((high - low).max(), 1e-6), rng.normal(0, 12, 2)
    for stroke in figure:
        places = [tuple(p) for p in (stroke - (low + high) / 2) * size + middle + shift]
        draw.line(places, fill=255, width=int(rng.integers(8, 26)), joint="curve")
    return image.reduce(UP)


def side_by_side(parts: list[Drawing], rng: Rng, least: float, most: float) -> Drawing:
    """Return parts of about the same height in a row, with gaps of `least` to `most` of it."""
    made: Drawing = []
    right = 0.0
    for part in parts:
        whole = np.concatenate(part)
        low, high = whole.min(axis=0), whole.max(axis=0)
        scale = rng.uniform(0.85, 1.1) / max(high[1] - low[1], 0.3)
        made += [(stroke - [low[0], (low[1] + high[1]) / 2]) * scale + [right, rng.normal(0, 0.06)] for stroke in part]
        right += (high[0] - low[0]) * scale + rng.uniform(least, most)
    return made


def several(rng: Rng) -> Drawing:
    """Return two digits, or sometimes three, in a row or one above the other."""
    digits = [by_hand(SHAPES[int(rng.integers(10))](rng), rng) for _ in range(2 if either(rng, 0.85) else 3)]
    if either(rng, 0.85):
        return side_by_side(digits, rng, -0.05, 0.4)
    return [stroke[:, ::-1] for stroke in side_by_side([[s[:, ::-1] for s in d] for d in digits], rng, 0.02, 0.4)]


def repeated(digit: int, rng: Rng) -> Drawing:
    """Return a digit two to four times in a row, as one hand writes it."""
    digits = [by_hand(SHAPES[digit](rng), rng) for _ in range(int(rng.choice([2, 3, 4], p=[0.6, 0.3, 0.1])))]
    return side_by_side(digits, rng, -0.05, 0.4)


def word(rng: Rng) -> Drawing:
    """Return three to seven letters or digits in a row."""
    parts = []
    for _ in range(int(rng.integers(3, 8))):
        kind = rng.random()
        parts.append(letter(rng) if kind < 0.5 else glyph(rng) if kind < 0.75 else SHAPES[int(rng.integers(10))](rng))
    return side_by_side(parts, rng, 0.05, 0.35)
