"""Sheets of paper on a desk: functions on a page's levels (H, W, 3)."""

import cv2
import numpy as np
from PIL import Image, ImageDraw

from benchmarks.forms.ink import Levels, Rng, soft_noise
from benchmarks.forms.page import Page

DESKS = (
    (70, 48, 32),
    (40, 38, 40),
    (110, 80, 55),
    (25, 25, 30),
    (60, 75, 70),
    (140, 105, 75),
    (95, 95, 100),
    (185, 160, 125),
    (150, 50, 45),
)


def desk(shape: tuple[int, ...], rng: Rng) -> Levels:
    """Return a table top: one colour, with grain along one direction."""
    grain = cv2.blur(rng.normal(0, 1, shape[:2]).astype(np.float32), (1, max(shape[0] // 3, 1)))
    wood = soft_noise(shape, rng, max(shape) / 5) * 5 + grain * float(rng.uniform(0, 45))
    return (np.array(DESKS[rng.integers(len(DESKS))], np.float32) + wood[..., None]).clip(0, 255)


def mask_of(shape: tuple[int, ...], polygon: list[tuple[float, float]], blur: float) -> Levels:
    """Return 1 inside a polygon of points in pixels, its edge blurred."""
    image = Image.new("L", (shape[1], shape[0]))
    ImageDraw.Draw(image).polygon([(float(x), float(y)) for x, y in polygon], fill=255)
    mask = np.asarray(image, np.float32) / 255
    return (cv2.GaussianBlur(mask, (0, 0), blur) if blur > 0.3 else mask)[..., None]


def over(levels: Levels, colour: Levels | tuple[int, ...], mask: Levels) -> Levels:
    return levels * (1 - mask) + np.asarray(colour, np.float32) * mask


def desk_sides(page: Page, levels: Levels) -> Levels:
    """The desk shows along one to three sides, the paper's edge a little turned, its shadow on the desk."""
    rng = page.rng
    pads = np.zeros(4, int)
    sides = rng.permutation(4)[: rng.integers(1, 4)]
    pads[sides] = (rng.uniform(0.06, 0.35, len(sides)) * min(levels.shape[:2])).astype(int)
    high, wide = levels.shape[0] + pads[0] + pads[2], levels.shape[1] + pads[1] + pads[3]
    lean = float(rng.uniform(-0.03, 0.03)) * min(levels.shape[:2])
    left, top = pads[3] or -high, pads[0] or -high
    right, bottom = wide - pads[1] if pads[1] else wide * 2, high - pads[2] if pads[2] else high * 2
    edge = [
        (left + lean, top - lean),
        (right + lean, top + lean),
        (right - lean, bottom + lean),
        (left - lean, bottom - lean),
    ]
    spread = cv2.copyMakeBorder(levels, int(pads[0]), int(pads[2]), int(pads[3]), int(pads[1]), cv2.BORDER_REPLICATE)
    surface = desk(spread.shape, rng)
    surface *= 1 - 0.4 * mask_of(spread.shape, [(x + 4, y + 4) for x, y in edge], max(levels.shape) / 60)
    return over(surface, spread, mask_of(spread.shape, edge, page.unit / 2))


def sheet(page: Page, levels: Levels) -> Levels:
    """A sheet lies turned or in perspective on a desk."""
    rng, (high, wide) = page.rng, levels.shape[:2]
    turn, share = np.deg2rad(rng.uniform(-12, 12)), rng.uniform(0, 0.1)
    corners = np.array([(-wide, -high), (wide, -high), (wide, high), (-wide, high)]) / 2
    corners = corners + rng.uniform(-share, share, (4, 2)) * (wide, high)
    corners = corners @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    room = rng.uniform(0.02, 0.3, 4) * min(high, wide)
    corners += room[:2] - corners.min(axis=0)
    size = tuple(int(n) for n in corners.max(axis=0) + room[2:])
    start = np.array([(0, 0), (wide, 0), (wide, high), (0, high)], np.float32)
    matrix = cv2.getPerspectiveTransform(start, corners.astype(np.float32))
    surface = desk((size[1], size[0]), rng)
    if rng.random() < 0.5:
        surface *= 1 - 0.5 * mask_of(surface.shape, [tuple(c + 0.02 * wide) for c in corners], wide / 50)
    moved = cv2.warpPerspective(levels, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return over(surface, moved, mask_of(surface.shape, [tuple(c) for c in corners], page.unit / 2))


def torn(page: Page, levels: Levels) -> Levels:
    """A torn edge at one side, the desk behind it."""
    rng, (high, wide) = page.rng, levels.shape[:2]
    side = int(rng.integers(4))
    length, room = (wide, high) if side % 2 == 0 else (high, wide)
    free = page.unit * (page.box[1], page.width - page.box[2], page.height - page.box[3], page.box[0])[side]
    depth = np.clip(0.35 * free + np.cumsum(rng.normal(0, 0.035 * free, 60)), 0.05 * free, 0.75 * free)
    along = np.linspace(-1, length + 1, 60)
    edge = [(float(a), float(d if side in (0, 3) else room - d)) for a, d in zip(along, depth, strict=True)]
    outer = -9.0 if side in (0, 3) else room + 9.0
    outline = [(-9.0, outer), *edge, (length + 9.0, outer)]
    points = outline if side % 2 == 0 else [(b, a) for a, b in outline]
    return over(levels, desk(levels.shape, rng), mask_of(levels.shape, points, page.unit / 2))
