"""Pieces of print without a digit: corners, crossings, rails, combs, boxes, bars and dots."""

from collections.abc import Callable

import numpy as np

from training.learner.handwriting.lines import Drawing, Rng, Stroke, either, loop, straight


def line(rng: Rng, *points: tuple[float, float]) -> Stroke:
    """Return a polyline as a printer draws it."""
    return straight(points, rng, 0)


def corner(rng: Rng) -> Drawing:
    """Return two lines that meet at a right angle, but not as in a seven."""
    across, down = rng.uniform(0.35, 1), rng.uniform(0.35, 1)
    flip = rng.choice([-1, 1], 2)
    if flip[0] > 0 and flip[1] < 0:  # the corner is at the upper right
        across, down = 1.0, rng.uniform(0.2, 0.6)
    made = [line(rng, (-across * flip[0], 0), (0, 0), (0, -down * flip[1]))]
    if either(rng, 0.25):  # a second line beside it
        gap = rng.uniform(0.12, 0.3)
        made.append(made[0] + flip * gap * rng.choice([-1, 1]))
    return made


def crossing(rng: Rng) -> Drawing:
    """Return lines that cross, or that end on another one, but not on a foot as a one does."""
    end = rng.choice([-1, 0, 1], p=[0.25, 0.5, 0.25])
    at, length = rng.uniform(-0.3, 0.3), rng.uniform(0.3, 0.6)
    if either(rng, 0.6):
        made = [line(rng, (-0.5, at), (0.5, at))]
        upright = (at - length, at + length) if end == 0 else (at, at + abs(end) * length)
        made += [line(rng, (x, upright[0]), (x, upright[1])) for x in rng.uniform(-0.4, 0.4, int(rng.integers(1, 4)))]
        return made
    made = [line(rng, (at, -0.5), (at, 0.5))]
    level = (at - length, at + length) if end == 0 else (at, at + end * length)
    made += [line(rng, (level[0], y), (level[1], y)) for y in rng.uniform(-0.4, 0.4, int(rng.integers(1, 3)))]
    return made


def rails(rng: Rng) -> Drawing:
    """Return level lines, whole or dotted, or at least two upright ones."""
    count, gap = int(rng.integers(1, 6)), rng.uniform(0.12, 0.5)
    dots = int(rng.choice([1, 1, 2, 3, 5, 8]))
    edges = np.linspace(-0.5, 0.5, 2 * dots)
    made = [line(rng, (a, row * gap), (b, row * gap)) for row in range(count) for a, b in edges.reshape(-1, 2)]
    upright = count > 1 and either(rng, 0.45)
    return [stroke[:, ::-1] for stroke in made] if upright else made


def comb(rng: Rng) -> Drawing:
    """Return a level line with teeth."""
    teeth, high = int(rng.integers(3, 8)), rng.uniform(0.1, 0.6) * rng.choice([-1, 1])
    made = [line(rng, (0, 0), (1, 0))]
    made += [line(rng, (x, 0), (x, high)) for x in np.linspace(0, 1, teeth)[:: int(rng.integers(1, 3))]]
    return made if either(rng, 0.8) else [stroke[:, ::-1] for stroke in made]


def box(rng: Rng) -> Drawing:
    """Return a box with sharp corners: closed, open at one side, with stubs, or with lines inside."""
    wide, high = rng.uniform(0.5, 1.6), rng.uniform(0.6, 1.0)
    corners = [(0.0, 0.0), (wide, 0.0), (wide, high), (0.0, high)]
    first = int(rng.integers(4))
    corners = corners[first:] + corners[:first]
    kind = rng.random()
    if kind < 0.4:
        return [line(rng, *corners)]
    made = [line(rng, *corners, corners[0])]
    if kind < 0.6:
        made += [line(rng, (x, 0), (x, high)) for x in wide * rng.uniform(0.2, 0.8, int(rng.integers(1, 4)))]
    elif kind < 0.75:
        made += [line(rng, (-rng.uniform(0, 0.5), y), (wide + rng.uniform(0, 0.5), y)) for y in (0, high)]
    return made


def dots(rng: Rng) -> Drawing:
    """Return one to six dots or dashes."""
    made = []
    for _ in range(int(rng.integers(1, 7))):
        x, y = rng.uniform(-0.5, 0.5, 2)
        wide = rng.uniform(0.02, 0.12)
        high = wide * rng.uniform(0.5, 1.0)
        made += [loop(x, y, wide * part, high * part, 0, 360, rng) for part in (1, 0.6, 0.25)]
    return made


def bars(rng: Rng) -> Drawing:
    """Return a level bar, thick or thin, or a row of upright ones as in a bar code."""
    rows = np.linspace(0, rng.uniform(0, 0.35), 8)
    if either(rng, 0.6):
        return [line(rng, (-0.5, y), (0.5, y)) for y in rows]
    return [line(rng, (x, 0), (x, 0.7)) for x in np.cumsum(rng.uniform(0.03, 0.2, int(rng.integers(4, 10))))]


KINDS: tuple[Callable[[Rng], Drawing], ...] = (corner, crossing, rails, comb, box, dots, bars)


def printed(rng: Rng) -> Drawing:
    """Return a piece of print, turned by at most 6 degrees."""
    turn = np.deg2rad(rng.uniform(-6, 6))
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return [stroke @ matrix for stroke in KINDS[int(rng.integers(len(KINDS)))](rng)]
