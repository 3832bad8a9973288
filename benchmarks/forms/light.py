"""What lies on the paper, and what light and camera add: functions on a page's levels (H, W, 3) or on the picture."""

from io import BytesIO

import cv2
import numpy as np
from PIL import Image, ImageDraw

from benchmarks.forms.desks import DESKS, mask_of, over
from benchmarks.forms.ink import Levels, Rng
from benchmarks.forms.page import Page

SKINS = ((224, 172, 140), (198, 140, 108), (141, 90, 62), (92, 58, 42))
BARRELS = ((30, 60, 150), (20, 20, 22), (190, 40, 40), (235, 190, 60), (60, 130, 80))


def bars(page: Page, levels: Levels) -> Levels:
    """Bars of one colour at one to four sides: a screenshot's, a scanner's lid, a video's."""
    rng = page.rng
    sides = ([0, 2], [1, 3], [0], [1], [2], [3], [0, 1], [0, 1, 2, 3])[rng.integers(8)]
    pads = [int(rng.uniform(0.05, 0.35) * min(levels.shape[:2])) if side in sides else 0 for side in range(4)]
    colour = [float(rng.choice([0, 0, 0, 12, 40]))] * 3
    return cv2.copyMakeBorder(levels, pads[0], pads[2], pads[3], pads[1], cv2.BORDER_CONSTANT, value=colour)


def shadow(page: Page, levels: Levels) -> Levels:
    """A shadow with a soft or a hard edge: of a hand, of the phone, of a window's frame."""
    rng, (high, wide) = page.rng, levels.shape[:2]
    x, y = rng.uniform(0.2, 0.8) * wide, rng.uniform(0.2, 0.8) * high
    turn, far = rng.uniform(0, 2 * np.pi), 2.0 * max(high, wide)
    ahead, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    width = far if rng.random() < 0.6 else rng.uniform(0.15, 0.5) * max(high, wide)
    edge = np.array([x, y])
    corners = [
        edge - across * far,
        edge + across * far,
        edge + across * far + ahead * width,
        edge - across * far + ahead * width,
    ]
    blur = max(high, wide) * float(rng.choice([0.003, 0.01, 0.05, 0.12]))
    return levels * (1 - float(rng.uniform(0.25, 0.6)) * mask_of(levels.shape, [tuple(c) for c in corners], blur))


def vignette(page: Page, levels: Levels) -> Levels:
    rng = page.rng
    down, across = np.meshgrid(*(np.linspace(-1, 1, side) for side in levels.shape[:2]), indexing="ij")
    far = np.hypot(down - rng.uniform(-0.4, 0.4), across - rng.uniform(-0.4, 0.4))
    return levels * (1 - rng.uniform(0.4, 0.85) * np.clip(far / 1.6, 0, 1) ** rng.uniform(1.2, 2.5))[..., None]


def beside_digit(page: Page, reach: float) -> tuple[float, float]:
    """Return a point in pixels in the picture, at least `reach` units away from the digit's box where there is room."""
    left, top, right, bottom = page.box
    for _ in range(40):
        x, y = page.rng.uniform(0, page.width), page.rng.uniform(0, page.height)
        if max(left - x, x - right, top - y, y - bottom) > reach:
            break
    else:
        x, y = (0.0, 0.0)
    return float(x * page.unit), float(y * page.unit)


def glare(page: Page, levels: Levels) -> Levels:
    """A lamp's reflection beside the digit on dimmed paper: round or long, white in the middle."""
    rng, (high, wide) = page.rng, levels.shape[:2]
    x, y = beside_digit(page, 8)
    down, across = np.mgrid[:high, :wide].astype(np.float32)
    long = rng.uniform(1, 2.5)
    spot = np.hypot((across - x) / long, down - y) / (page.unit * rng.uniform(8, 26))
    dim = levels * float(rng.uniform(0.55, 0.85))
    return dim + (255 - dim) * np.clip(1.5 * np.exp(-(spot**2)), 0, 1)[..., None]


def stick(page: Page, levels: Levels, colour: tuple[int, ...], width: float, tip: float) -> Levels:
    """Lay something long over the picture, from outside to a point beside the digit, and its shadow."""
    left, top, right, bottom = (side * page.unit for side in page.box)
    middle = np.array([(left + right) / 2, (top + bottom) / 2])
    half = width * page.unit / 2
    end = np.array(beside_digit(page, width / 2 + 4))
    way = end - middle
    way = way / max(float(np.hypot(*way)), 1)
    way = way + page.rng.normal(0, 0.25, 2)
    way = way / float(np.hypot(*way))
    side, far = np.array([-way[1], way[0]]) * half, end + way * 3000
    nail = [end + side * np.cos(t) - way * half * tip * np.sin(t) for t in np.linspace(0, np.pi, 15)]
    outline = [far + side, *nail, far - side]
    levels = levels * (1 - 0.35 * mask_of(levels.shape, [tuple(p + 0.2 * half) for p in outline], half / 3))
    return over(levels, colour, mask_of(levels.shape, [tuple(p) for p in outline], page.unit * 0.6))


def finger(page: Page, levels: Levels) -> Levels:
    return stick(page, levels, SKINS[page.rng.integers(len(SKINS))], float(page.rng.uniform(20, 48)), 1.0)


def pen(page: Page, levels: Levels) -> Levels:
    return stick(page, levels, BARRELS[page.rng.integers(len(BARRELS))], float(page.rng.uniform(7, 16)), 2.5)


def holes(page: Page, levels: Levels) -> Levels:
    """Punched holes, staples or a paper clip at an edge."""
    rng, image = page.rng, Image.fromarray(levels.clip(0, 255).astype(np.uint8))
    canvas, kind, unit = ImageDraw.Draw(image), rng.integers(3), page.unit
    for _ in range(int(rng.integers(1, 3))):
        x, y = beside_digit(page, 14)
        radius = float(rng.uniform(5, 11)) * unit
        if kind == 0:
            canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=DESKS[rng.integers(len(DESKS))])
        elif kind == 1:
            canvas.line(
                [(x - radius, y), (x + radius, y + radius / 4)], fill=(120, 120, 125), width=max(round(2.5 * unit), 1)
            )
        else:
            for grow in (1.0, 0.62):
                outline = x - radius * grow, y - 2.4 * radius * grow, x + radius * grow, y + 2.4 * radius * grow
                canvas.rounded_rectangle(outline, radius * grow, outline=(130, 132, 140), width=max(round(2 * unit), 1))
    return np.asarray(image, np.float32)


def dirt(page: Page, levels: Levels) -> Levels:
    """Crumbs, splashes, hairs and eraser marks; none larger than a dot of an i."""
    rng, image = page.rng, Image.fromarray(levels.clip(0, 255).astype(np.uint8))
    canvas, unit = ImageDraw.Draw(image), page.unit
    for _ in range(int(rng.integers(6, 70))):
        x, y = rng.uniform(0, image.width), rng.uniform(0, image.height)
        grey = (int(rng.integers(40, 190)),) * 3
        if rng.random() < 0.85:
            wide, high = rng.uniform(0.4, 3.0, 2) * unit
            canvas.ellipse((x - wide, y - high, x + wide, y + high), fill=grey)
        else:
            dx, dy = rng.normal(0, 9 * unit, 2)
            canvas.line(
                [(x, y), (x + dx, y + dy), (x + dx * 1.6, y + dy * 0.4)], fill=grey, width=max(round(0.7 * unit), 1)
            )
    return np.asarray(image, np.float32)


def crumpled(page: Page, levels: Levels) -> Levels:
    """Folds and waves of paper: edges between lighter and darker facets."""
    rng, (high, wide) = page.rng, levels.shape[:2]
    shade = np.ones((high, wide, 1), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        turn, x, y = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.9) * wide, rng.uniform(0.1, 0.9) * high
        down, across = np.mgrid[:high, :wide].astype(np.float32)
        far = (across - x) * np.cos(turn) + (down - y) * np.sin(turn)
        fold = np.exp(-np.abs(far) / (page.unit * rng.uniform(1.5, 12))) * np.sign(far)
        shade = shade * (1 + float(rng.uniform(0.1, 0.3)) * fold[..., None])
    return levels * shade


def grain(page: Page, levels: Levels) -> Levels:
    """Sensor noise at night, or a screen's moire."""
    rng, (high, wide) = page.rng, levels.shape[:2]
    if rng.random() < 0.5:
        cells = rng.normal(
            0, rng.uniform(10, 38), (-(-high // page.oversampling()), -(-wide // page.oversampling()), 3)
        )
        return levels + cv2.resize(cells.astype(np.float32), (wide, high), interpolation=cv2.INTER_NEAREST)
    down, across = np.mgrid[:high, :wide].astype(np.float32) / page.unit
    turns, waves = rng.uniform(0, np.pi, 2), rng.uniform(3, 25, 2)
    pattern = sum(
        np.sin(2 * np.pi * (across * np.cos(t) + down * np.sin(t)) / w) for t, w in zip(turns, waves, strict=True)
    )
    return levels + np.asarray(pattern)[..., None] * rng.uniform(3, 15, 3)


def salt_and_pepper(image: Image.Image, rng: Rng) -> Image.Image:
    levels, share = np.array(image), rng.uniform(0.005, 0.04)
    dirt = rng.random(levels.shape[:2])
    levels[dirt < share / 2], levels[dirt > 1 - share / 2] = 10, 250
    return Image.fromarray(levels)


def fax(image: Image.Image, rng: Rng) -> Image.Image:
    """Black and white, as a fax or a copier with a hard threshold leaves it, with some dust."""
    levels = np.asarray(image.convert("L"), np.float32)
    light_level, dark_level = np.percentile(levels, 90), levels.min()
    black = levels < dark_level + (light_level - dark_level) * rng.uniform(0.45, 0.7)
    black ^= rng.random(levels.shape) < rng.uniform(0, 0.004)
    return Image.fromarray(np.where(black, 0, 255).astype(np.uint8)).convert("RGB")


def jpeg_blocks(image: Image.Image, rng: Rng) -> Image.Image:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=int(rng.integers(4, 15)))
    return Image.open(buffer).convert("RGB")


def blurred(image: Image.Image, rng: Rng) -> Image.Image:
    """Out of focus, or moved."""
    levels, reach = np.asarray(image, np.float32), max(image.size) * rng.uniform(0.008, 0.022)
    if rng.random() < 0.5:
        return Image.fromarray(cv2.GaussianBlur(levels, (0, 0), float(max(reach, 0.6))).clip(0, 255).astype(np.uint8))
    length = max(round(3 * reach), 2)
    kernel = np.zeros((length, length), np.float32)
    kernel[np.arange(length), np.arange(length) if rng.random() < 0.5 else length // 2] = 1 / length
    return Image.fromarray(cv2.filter2D(levels, -1, kernel).clip(0, 255).astype(np.uint8))
