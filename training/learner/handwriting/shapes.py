"""Random skeletons of the ten digits, in the styles of many countries."""

from collections.abc import Callable

import numpy as np

from training.learner.handwriting.lines import Drawing, Rng, Stroke, curve, either, loop, straight


def zero(rng: Rng) -> Drawing:
    wide = rng.uniform(0.2, 0.55) if either(rng, 0.85) else rng.uniform(0.55, 1.1)
    way = 1 if either(rng, 0.25) else -1
    gap = rng.uniform(-45, 0) if either(rng, 0.3) else rng.uniform(0, 70)
    if either(rng, 0.04):
        gap = rng.uniform(-110, -45)
    drawing = [loop(0, 0, wide, 0.5, rng.normal(-80, 40), way * (360 + gap), rng)]
    if gap > -45 and either(rng, 0.45):
        drawing.append(across_zero(wide, rng))
    return drawing


def across_zero(wide: float, rng: Rng) -> Stroke:
    """Return a slash: within the loop, a little beyond it, or long as in the letter phi; not level as in theta."""
    angle = np.deg2rad(np.clip(rng.normal(60, 20), 28, 152) if either(rng, 0.8) else rng.uniform(28, 152))
    ray = np.array([np.cos(angle), -np.sin(angle)])
    edge = 1 / np.hypot(ray[0] / wide, ray[1] / 0.5)
    least, most = (1.3, 3.0) if either(rng, 0.55) else (0.6, 1.5)
    low, high = rng.uniform(least, most, 2)
    aside = rng.normal(0, 0.07, 2)
    return curve([aside - ray * edge * low, aside, aside + ray * edge * high], rng, 0.025)


def one(rng: Rng) -> Drawing:
    top, foot = np.array([0.0, 0.0]), np.array([rng.normal(0, 0.05), 1.0])
    middle = (top + foot) / 2 + [rng.normal(0, 0.03), 0]
    stem = curve([top, middle, foot], rng, 0.01)
    if either(rng, 0.25):  # without a flag, and sometimes far from upright
        return [stem @ np.array([[1, 0], [rng.uniform(-0.9, 0.3), 1]])]
    length = rng.uniform(0.12, 0.6) if either(rng, 0.85) else rng.uniform(0.6, 0.8)
    rise = np.deg2rad(rng.uniform(8 if length < 0.36 else 22 if length < 0.6 else 36, 70))
    tip = top + length * np.array([-np.cos(rise), np.sin(rise)])
    bow = (tip + top) / 2 + [0, rng.normal(0, 0.04)]
    drawing = [np.concatenate([curve([tip, bow, top], rng, 0.01), stem])]
    if either(rng, 0.35):
        left, right = rng.uniform(0.12, 0.5 if either(rng, 0.75) else 0.75, 2)
        drawing.append(curve([foot - [left, 0], foot, foot + [right, 0]], rng, 0.025))
    return drawing


def two(rng: Rng) -> Drawing:
    wide, low = rng.uniform(0.55, 0.95), rng.uniform(0.9, 1.0)
    curl = [(0.3 * wide, 0.32), (0.12 * wide, 0.36)] if either(rng, 0.2) else []
    head = [*curl, (0.0, 0.28), (0.22 * wide, 0.06), (0.6 * wide, 0.0), (0.92 * wide, 0.2), (0.75 * wide, 0.5)]
    kind = rng.random()
    if kind < 0.05:  # as in Nagari: the pen turns back at the lower left, and the foot falls to the right
        low = rng.uniform(0.6, 0.75)
        foot = [(0.0, low), (0.4 * wide, low - 0.03), (0.75 * wide, 0.85), (wide, 1.0), (1.15 * wide, 0.85)]
        return [curve([*head, (0.0, low)], rng), curve(foot[: int(rng.integers(4, 6))], rng)]
    if kind < 0.35:  # a loop at the lower left
        size = rng.uniform(0.06, 0.22)
        wide *= rng.uniform(0.6, 1.0)
        tail = [(0.3 * wide, 0.85), (0.1, low), (-0.02, low - size), (0.15, low - 1.3 * size), (0.5 * wide, low - 0.05)]
        return [curve([*head, *tail, (1.05 * wide, low + rng.uniform(-0.1, 0.05))], rng)]
    if kind < 0.8:  # a corner
        middle = (0.5 * wide, low + rng.normal(0, 0.04))
        base = [(0.0, low), middle, (wide * rng.uniform(0.8, 1.25), low + rng.normal(-0.02, 0.05))]
        return [np.concatenate([curve([*head, (0.0, low)], rng), curve(base, rng)])]
    flat = [(0.0, rng.uniform(0.0, 0.18)), (0.5 * wide, 0.0), (0.9 * wide, 0.02 + rng.uniform(0, 0.15))]
    top, stem = curve(flat, rng), curve([flat[-1], (0.55 * wide, 0.5), (0.0, low)], rng)
    return [np.concatenate([top, stem, curve([(0.0, low), (wide * rng.uniform(0.8, 1.2), low)], rng)])]


def three(rng: Rng) -> Drawing:
    wide, waist, inward = rng.uniform(0.45, 0.85), rng.uniform(0.38, 0.52), rng.uniform(0.15, 0.6)
    middle = (inward * wide, waist)
    lower = [middle, (0.75 * wide, waist + 0.08), (wide, 0.74), (0.6 * wide, 1.0), (0.0, rng.uniform(0.82, 1.0))]
    if either(rng, 0.45):  # flat above
        corner = (rng.uniform(0.75, 1.05) * wide, rng.uniform(-0.04, 0.06))
        serif = [(rng.normal(0, 0.03), rng.uniform(0.08, 0.2))] if either(rng, 0.15) else []
        upper = straight([*serif, (0.0, rng.uniform(0, 0.08)), corner, middle], rng)
    else:
        start = (0.02, rng.uniform(0.05, 0.2))
        upper = curve([start, (0.45 * wide, 0.0), (0.88 * wide, 0.18), (0.65 * wide, waist - 0.07), middle], rng)
    if either(rng, 0.2):  # a small loop at the waist
        lower = [middle, (middle[0] - 0.1, waist + 0.06), (middle[0] + 0.02, waist + 0.1), *lower[1:]]
    return [np.concatenate([upper, curve(lower, rng)])]


def four(rng: Rng) -> Drawing:
    wide, across = rng.uniform(0.5, 0.95), rng.uniform(0.4, 0.75) if either(rng, 0.88) else rng.uniform(0.22, 0.4)
    stem = wide * rng.uniform(0.6, 0.85)
    right = wide * rng.uniform(0.95, 1.3)
    if either(rng, 0.15):  # narrow
        wide, right = 0.6 * wide, right * rng.uniform(0.5, 0.8)
        stem = wide * rng.uniform(0.7, 0.95)
    kind = rng.random()
    if kind < 0.1:  # hooked: closed above in one stroke, which ends in the stem
        bow = (rng.uniform(0.1, 0.35) * wide, 0.4 * across)
        arm = curve([(stem, 0.0), bow, (0.0, across)], rng, 0.02)
        return [
            arm,
            straight([(0.0, across), (right, across)], rng, 0.02),
            straight([(stem, 0.0), (stem, 1.0)], rng, 0.02),
        ]
    if kind < 0.3:  # closed above
        top = (stem + rng.normal(0, 0.03), 0.0)
        return [straight([top, (0.0, across), (right, across)], rng), straight([top, (stem, 1.0)], rng, 0.02)]
    if kind < 0.75:  # open, in two strokes
        start = (rng.uniform(0.05, 0.5) * wide, rng.uniform(0.0, 0.12))
        arm = straight([start, (0.0, across), (right, across + rng.normal(-0.03, 0.05))], rng)
        high, low = rng.uniform(-0.05, across - 0.1), rng.uniform(across + 0.15, 1.05)
        if either(rng, 0.08):  # the arm ends before the stem
            stem = right + rng.uniform(0.0, 0.15)
        return [arm, straight([(stem + rng.normal(0.04, 0.05), high), (stem + rng.normal(0, 0.06), low)], rng, 0.02)]
    cup = [(0.02, 0.0), (0.0, across * 0.7), (0.3 * wide, across), (stem, across * rng.uniform(0.75, 1.0))]
    return [curve(cup, rng), curve([(stem + 0.04, 0.0), (stem, 0.5), (stem + rng.normal(0, 0.06), 1.0)], rng)]


def five(rng: Rng) -> Drawing:
    wide, shoulder = rng.uniform(0.5, 0.85) if either(rng, 0.88) else rng.uniform(0.85, 1.6), rng.uniform(0.3, 0.48)
    left = rng.uniform(0.0, 0.2)
    corner = (left + 0.06, rng.uniform(-0.02, 0.06))
    neck = (left, shoulder + 0.04)
    top = (0.5 * wide, shoulder - rng.uniform(0, 0.06))
    bowl = [neck, top, (wide, 0.66), (0.6 * wide, 1.0), (-0.05, rng.uniform(0.85, 1.0))]
    body = np.concatenate([curve([corner, neck], rng, 0.02), curve(bowl, rng)])
    far = (corner[0] + wide * rng.uniform(0.4, 1.2), corner[1] + rng.normal(-0.04, 0.08))
    kind = rng.random()
    if kind < 0.2:  # a bowl without a neck, and a separate hat
        begin = (left + rng.uniform(-0.05, 0.15), shoulder + rng.uniform(-0.05, 0.12))
        hook = [(begin[0] - 0.02, begin[1] - rng.uniform(0.05, 0.2))] if either(rng, 0.6) else []
        hat = straight(
            [(corner[0] + rng.normal(0, 0.06), corner[1] + 0.06), (far[0], far[1] - rng.uniform(0, 0.1))], rng, 0.02
        )
        return [curve([*hook, begin, *bowl[1:]], rng), hat]
    if kind < 0.4:  # one smooth stroke, like an S
        return [curve([far, (0.4 * wide, 0.0), (left, 0.2), *bowl[1:]], rng)]
    apart = np.array([rng.normal(0, 0.06), rng.uniform(-0.16, 0.03)]) if either(rng, 0.5) else np.zeros(2)
    return [body, curve([corner + apart, far + apart], rng, 0.02)]


def six(rng: Rng) -> Drawing:
    wide, high = rng.uniform(0.38, 0.8), rng.uniform(0.32, 0.58)
    top = 1 - high
    begin = (wide * rng.uniform(0.0, 1.1), 0.0)
    end = [(0.08, 1 - 0.35 * high), (0.2, 1 - 0.6 * high), (0.12, 1 - 0.2 * high)][rng.integers(3)]
    ring = [(0.0, 1 - 0.4 * high), (0.4 * wide, 1.0), (wide, 1 - 0.45 * high), (0.55 * wide, top), end]
    spine = [begin, ((begin[0] * 0.35), 0.4 * top + 0.05)]
    if either(rng, 0.2):  # open: the ring does not close
        ring[-1] = (0.35 * wide, top + rng.uniform(0, 0.1))
    return [curve(spine + ring, rng)]


def seven(rng: Rng) -> Drawing:
    wide, low = rng.uniform(0.48, 0.95) if either(rng, 0.94) else rng.uniform(0.34, 0.48), rng.uniform(0.0, 0.6)
    tilt = rng.uniform(-0.16, 0.12)
    start, corner, foot = np.array([0, tilt]), np.array([wide, 0.0]), np.array([low * wide, 1.0])
    bow = (corner + foot) / 2 + [-rng.uniform(-0.02, 0.12), rng.normal(0, 0.03)]
    head = curve([start, (start + corner) / 2 + [0, rng.normal(0, 0.04)], corner], rng, 0.02)
    drawing = [np.concatenate([head, curve([corner, bow, foot], rng, 0.02)])]
    kind = rng.random()
    if kind < 0.1:  # a round shoulder
        shoulder = corner + [0, rng.uniform(0.06, 0.22)]
        drawing = [curve([start, 0.4 * start + 0.6 * corner, shoulder, bow, foot], rng, 0.02)]
    elif kind < 0.22:  # a loop at the corner
        size = rng.uniform(0.06, 0.16)
        turn = [
            corner + [0.0, 0.0],
            corner + [size, size],
            corner + [-0.2 * size, 1.1 * size],
            corner + [-0.1, -0.2 * size],
        ]
        path = [start, (start + corner) / 2, *turn, bow + [-0.04, 0], foot]
        drawing = [curve(path if either(rng, 0.5) else [start, (start + corner) / 2, *turn[:3], bow, foot], rng, 0.015)]
    if either(rng, 0.25):  # a serif
        serif = straight([start + [rng.normal(0, 0.04), rng.uniform(0.08, 0.25)], start], rng, 0.01)
        drawing[0] = np.concatenate([serif, drawing[0]])
    if either(rng, 0.45):
        place = corner + (foot - corner) * rng.uniform(0.35, 0.65) + [rng.normal(-0.03, 0.04), 0]
        ray = np.array([1, rng.normal(-0.08, 0.2)])
        drawing.append(curve([place - ray * rng.uniform(0.12, 0.5), place + ray * rng.uniform(0.12, 0.5)], rng, 0.015))
    return drawing


def eight(rng: Rng) -> Drawing:
    wide, waist = rng.uniform(0.4, 0.8), rng.uniform(0.38, 0.55)
    kind = rng.random()
    if kind < 0.25:  # two rings
        upper, lower = waist / 2, (1 - waist) / 2
        ratio = rng.uniform(0.65, 1.0)
        return [
            one_turn(rng.normal(0, 0.03), upper, wide / 2 * ratio, upper, rng.uniform(0, 360), rng),
            one_turn(0, waist + lower, wide / 2, lower, rng.normal(-90, 40), rng),
        ]
    is_open = kind >= 0.8
    begin = (wide * rng.uniform(0.45, 1.0), rng.uniform(-0.03, 0.24))
    head = rng.uniform(0.6, 1.05)  # the upper loop's width by the lower one's
    if is_open:  # above, where its loop is small
        waist, head = rng.uniform(0.25, 0.48), rng.uniform(0.35, 0.9)
        begin = ((0.5 + head * rng.uniform(-0.1, 0.6)) * wide, rng.uniform(-0.05, 0.1))
    left, right = (0.5 - head / 2) * wide, (0.5 + head / 2) * wide
    path = [begin, (0.45 * wide, 0.0), (left + 0.04, 0.5 * waist), (0.45 * wide, waist)]
    path += [(wide, 0.77), (0.5 * wide, 1.0), (0.0, 0.77), (0.5 * wide, waist)]
    path.append((right, waist * rng.uniform(0.3, 0.7)) if is_open else (right - 0.03, 0.24))
    if kind < 0.45:  # a long end
        path.append((wide * rng.uniform(0.95, 1.25), rng.uniform(-0.1, 0.1)))
    elif not is_open:
        path.append((begin[0] + rng.normal(-0.02, 0.06), begin[1] + rng.normal(-0.02, 0.06)))
    if either(rng, 0.3):  # the other way around
        path = [(wide - x, y) for x, y in path]
    return [curve(path, rng)]


def one_turn(x: float, y: float, wide: float, high: float, start: float, rng: Rng) -> Stroke:
    """Return a loop of about one turn, either way around."""
    return loop(x, y, wide, high, start, rng.choice([-1, 1]) * rng.uniform(340, 400), rng)


def nine(rng: Rng) -> Drawing:
    wide, high = rng.uniform(0.35, 0.75) if either(rng, 0.88) else rng.uniform(0.75, 1.2), rng.uniform(0.35, 0.58)
    begin = (wide * rng.uniform(0.75, 1.0), rng.uniform(0.05, 0.16))
    ring = [begin, (0.5 * wide, 0.0), (0.0, 0.5 * high), (0.4 * wide, high), (0.92 * wide, 0.55 * high), (wide, 0.1)]
    if either(rng, 0.2):  # open above
        ring = [(wide * rng.uniform(0.3, 0.7), 0.02), *ring[2:5], (wide, rng.uniform(0.0, 0.25))]
    kind = rng.random()
    if kind < 0.45:
        tail = [(wide * rng.uniform(0.8, 1.0), 0.6), (wide * rng.uniform(0.5, 1.0), 1.0)]
    elif kind < 0.75:  # curved
        tail = [(wide, 0.6), (0.75 * wide, 0.92), (wide * rng.uniform(0, 0.4), 1.0)]
    else:  # like a g
        tail = [(wide, 0.6), (0.9 * wide, 0.92), (0.45 * wide, 1.02), (rng.uniform(-0.2, 0.1), rng.uniform(0.8, 1.02))]
    if either(rng, 0.5):
        return [np.concatenate([curve(ring, rng), curve([ring[-1], *tail], rng, 0.02)])]
    return [curve(ring + tail, rng)]


SHAPES: dict[int, Callable[[Rng], Drawing]] = dict(
    enumerate((zero, one, two, three, four, five, six, seven, eight, nine))
)
