"""Scribbles, blots and smudges."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from training.learner.handwriting.lines import Drawing, Rng, curve, either, loop, straight
from training.learner.handwriting.pen import CANVAS, UP


def scribble(rng: Rng) -> Drawing:
    """Return a curve or a polyline through random points, or a pen that circles, hatches or wanders."""
    kind = rng.random()
    if kind < 0.25:
        return [coil(rng)]
    if kind < 0.4:
        return [hatch(rng)]
    knots = rng.normal(0, 0.35, (int(rng.integers(5, 26)), 2)) * [rng.uniform(0.5, 1.5), 1]
    if kind < 0.75:  # wandering: every point is near the last one
        steps = rng.normal(0, 0.35, (int(rng.integers(9, 40)), 2))
        knots = np.cumsum(steps[1:] + rng.uniform(0, 1) * steps[:-1], axis=0)
    made: Drawing = [curve(knots, rng, 0) if either(rng, 0.65) else straight(knots, rng, 0)]
    if either(rng, 0.3):
        x, y = rng.normal(0, 0.3, 2)
        wide, high = rng.uniform(0.1, 0.5, 2)
        made.append(loop(x, y, wide, high, rng.uniform(0, 360), rng.uniform(200, 900), rng))
    return made


def coil(rng: Rng) -> np.ndarray:
    """Return loops that drift to one side, grow, or swing."""
    turns = rng.uniform(2.2, 7)
    t = np.linspace(0, 1, int(24 * turns))
    angle = 2 * np.pi * turns * t + rng.uniform(0, 6.3)
    size = 1 + rng.uniform(-0.8, 3) * t
    drift, heading = rng.uniform(0.0, 5) * t, rng.uniform(0, 6.3)
    swing = rng.uniform(0.5, 1.5)
    across = size * np.cos(angle) * rng.uniform(0.3, 1) + drift * np.cos(heading)
    down = size * np.sin(angle * swing) + drift * np.sin(heading) + rng.normal(0, 0.15, 1)
    return np.stack([across, down], axis=1)


def hatch(rng: Rng) -> np.ndarray:
    """Return a pen that goes to and fro."""
    count = int(rng.integers(4, 14))
    across = np.arange(count) * rng.uniform(0.08, 0.4) + rng.normal(0, 0.05, count)
    down = np.resize([0.0, 1.0], count) + rng.normal(0, 0.12, count)
    heading = rng.uniform(0, 6.3)
    turn = np.array([[np.cos(heading), -np.sin(heading)], [np.sin(heading), np.cos(heading)]])
    points = np.stack([across, down], axis=1) @ turn
    return curve(points, rng, 0) if either(rng, 0.5) else straight(points, rng, 0)


def blot(rng: Rng) -> Image.Image:
    """Draw some rugged or round patches."""
    image = Image.new("L", (CANVAS * UP, CANVAS * UP), 255)
    draw = ImageDraw.Draw(image)
    rugged = rng.uniform(0, 0.6) if either(rng, 0.8) else 0.0
    for _ in range(int(rng.integers(1, 5))):
        angle = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(5, 30)))) if rugged else np.linspace(0, 6.3, 40)
        reach = rng.uniform(25, 100) * rng.uniform(1 - rugged, 1, len(angle)) * UP / 2
        x, y = (CANVAS + rng.normal(0, 15, 2)) * UP / 2
        wide = rng.uniform(0.5, 1.5)
        draw.polygon([(x + wide * r * np.cos(a), y + r * np.sin(a)) for r, a in zip(reach, angle, strict=True)], fill=0)
    return image.reduce(UP)


def smudge(rng: Rng) -> Image.Image:
    """Draw a noise field of several scales, cut at a level: what is left of a photo's objects and textures."""
    field = np.zeros((CANVAS, CANVAS))
    for scale in np.exp2(rng.uniform(1, 5.5, 3)):
        noise = Image.fromarray(rng.integers(0, 256, (CANVAS, CANVAS), dtype=np.uint8))
        part = np.asarray(noise.filter(ImageFilter.GaussianBlur(float(scale))), float)
        field += rng.uniform(0.2, 1) * (part - part.mean()) / max(float(part.std()), 1e-6)
    down, across = (np.indices((CANVAS, CANVAS)) - CANVAS / 2) / CANVAS
    field -= (down**2 + across**2) * rng.uniform(0, 25) + down * rng.normal(0, 2) + across * rng.normal(0, 2)
    level = np.quantile(field, rng.uniform(0.6, 0.92))
    ink = np.clip((field - level) * rng.uniform(0.5, 5), 0, 1)
    return Image.fromarray(np.rint(255 * (1 - ink)).astype(np.uint8))
