"""A page under construction: a digit in its cell, and what is printed around it.

Lengths are in units: the digit's longer side is 100. Boxes are (left, top, right, bottom).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.forms.ink import MARGIN, ZOOM, Levels, Rng, coverage, stroke_field, test_digits

Colour = tuple[float, float, float]
Box = tuple[float, float, float, float]
Point = tuple[float, float]
FACES = ("DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif-Italic.ttf")
PENS: tuple[Colour, ...] = ((20, 20, 24), (45, 45, 50), (30, 40, 120), (50, 70, 160), (80, 80, 85), (15, 25, 70))
TONERS: tuple[Colour, ...] = ((10, 10, 10), (50, 50, 50), (95, 95, 95), (30, 60, 110), (120, 50, 45))


@cache
def face(name: str, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the system's face of that name, or Pillow's own if it is not installed."""
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return ImageFont.load_default(size)


def digit_size(ink: Levels, longer: float) -> tuple[float, float]:
    """Return (height, width) of the digit in a field, its longer side scaled to `longer`."""
    high, wide = (side - 2 * MARGIN * ZOOM for side in ink.shape)
    return high * longer / max(high, wide), wide * longer / max(high, wide)


@dataclass(frozen=True)
class Colours:
    paper: Colour
    toner: Colour
    pen: Colour


def ink_on_paper(rng: Rng) -> Colours:
    paper = rng.uniform(222, 255) - rng.uniform(0, 9, 3)
    return Colours((paper[0], paper[1], paper[2]), TONERS[rng.integers(len(TONERS))], PENS[rng.integers(len(PENS))])


@dataclass
class Layout:
    """Bounds in units: cell around digit, picture around cell (negative: the picture cuts the cell off)."""

    gap: tuple[float, float] = (7, 42)
    around: tuple[float, float] = (5, 45)


@dataclass
class Page:
    rng: Rng
    colours: Colours
    layout: Layout
    texture: Callable[[Levels, Rng], Levels] | None = None
    tilt: float = field(init=False)
    weight: float = field(init=False)

    def __post_init__(self) -> None:
        rng = self.rng
        images, labels = test_digits()
        row = int(rng.integers(len(labels)))
        self.label = int(labels[row])
        self.stroke = float(rng.uniform(0.05, 0.14))
        self.ink = stroke_field(images[row], rng, self.stroke)
        high, wide = digit_size(self.ink, 100)
        left, top, right, bottom = rng.uniform(*self.layout.gap, 4)
        # A narrow digit stands in a cell of a common shape, more often than in one of its own.
        spare = max(rng.uniform(0.5, 1.1) * high - wide, 0) / 2
        left, right = left + spare, right + spare
        pads = rng.uniform(*self.layout.around, 4)
        if rng.random() < 0.15 and self.layout.around[1] > 20:  # a digit that is small in its picture
            pads = pads * rng.uniform(1, 4, 4)
        x, y = pads[0] + left, pads[1] + top
        self.box: Box = (x, y, x + wide, y + high)
        self.cell: Box = (pads[0], pads[1], x + wide + right, y + high + bottom)
        self.width, self.height = self.cell[2] + pads[2], self.cell[3] + pads[3]
        self.scale = self.final_scale()
        self.unit = self.scale * self.oversampling()
        size = round(self.width * self.unit), round(self.height * self.unit)
        self.image = Image.new("RGB", size, self.rgb(self.colours.paper))
        self.canvas = ImageDraw.Draw(self.image)
        self.tilt, self.weight = float(rng.normal(0, 0.5)), float(rng.uniform(1.2, 5))
        self.dash: tuple[float, float] | None = None

    def final_scale(self) -> float:
        """Return the pixels per unit of the finished picture: 60 to 1200 a side, at least 26 for the digit."""
        rng, longer, shorter = self.rng, max(self.width, self.height), min(self.width, self.height)
        most = np.log(1100 if rng.random() < 0.08 else 420)
        return float(min(max(np.exp(rng.uniform(np.log(70), most)) / longer, 0.26, 62 / shorter), 1150 / longer))

    def oversampling(self) -> int:
        return 3 if self.scale < 1.2 else 2 if self.scale < 2.5 else 1

    @staticmethod
    def rgb(colour: Sequence[float]) -> tuple[int, int, int]:
        red, green, blue = (round(min(max(level, 0), 255)) for level in colour)
        return red, green, blue

    def mixed(self, share: float) -> Colour:
        """Return the toner as pale as a raster of `share` prints it."""
        paper, toner = np.array(self.colours.paper), np.array(self.colours.toner)
        red, green, blue = paper + (toner - paper) * share
        return red, green, blue

    def at(self, x: float, y: float) -> Point:
        """Return a point in pixels, turned with the print."""
        turn, middle = np.deg2rad(self.tilt), ((self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2)
        dx, dy = x - middle[0], y - middle[1]
        x, y = middle[0] + dx * np.cos(turn) - dy * np.sin(turn), middle[1] + dx * np.sin(turn) + dy * np.cos(turn)
        return float(x * self.unit), float(y * self.unit)

    def line(self, points: Sequence[Point], weight: float | None = None, colour: Colour | None = None) -> None:
        """Draw straight lines from point to point, dashed if the page's lines are."""
        weight, colour = weight or self.weight, colour or self.colours.toner
        for start, end in pairwise(points):
            for a, b in self.dashes(start, end):
                self.canvas.line([self.at(*a), self.at(*b)], self.rgb(colour), max(round(weight * self.unit), 1))
        if not self.dash:
            for point in points[1:-1]:
                self.dot(point, weight / 2, colour)

    def dashes(self, start: Point, end: Point) -> list[tuple[Point, Point]]:
        if self.dash is None:
            return [(start, end)]
        a, b = np.array(start), np.array(end)
        length = max(float(np.hypot(*(b - a))), 1e-6)
        steps = np.arange(0, length, sum(self.dash))
        ends = np.minimum(steps + self.dash[0], length)
        return [
            (tuple(a + (b - a) * first / length), tuple(a + (b - a) * last / length))
            for first, last in zip(steps, ends, strict=True)
        ]

    def dot(self, point: Point, radius: float, colour: Colour | None = None) -> None:
        (x, y), r = self.at(*point), max(radius * self.unit, 0.5)
        self.canvas.ellipse((x - r, y - r, x + r, y + r), fill=self.rgb(colour or self.colours.toner))

    def curve(self, middle: Point, radii: Point, degrees: tuple[float, float] = (0, 360)) -> None:
        turns = np.deg2rad(np.linspace(*degrees, 72))
        self.line([(middle[0] + radii[0] * np.cos(t), middle[1] + radii[1] * np.sin(t)) for t in turns])

    def fill(self, points: Sequence[Point], colour: Colour) -> None:
        self.canvas.polygon([self.at(*point) for point in points], fill=self.rgb(colour))

    def text(self, point: Point, words: str, size: float, anchor: str = "mm", colour: Colour | None = None) -> None:
        name = FACES[self.rng.integers(len(FACES))] if self.rng.random() < 0.6 else "none"
        font = face(name, max(round(size * self.unit), 4))
        self.canvas.text(self.at(*point), words, self.rgb(colour or self.colours.toner), font, anchor)

    def write(self) -> None:
        """Write the digit into its box."""
        self.stamp(self.ink, self.box[:2], 100)

    def write_neighbour(self, side: int, longer: float) -> None:
        """Write another digit in the same hand beside the cell; the picture's border cuts off more than half of it."""
        images, rng = test_digits()[0], self.rng
        field = stroke_field(images[rng.integers(len(images))], rng, self.stroke)
        high, wide = digit_size(field, longer)
        left, top, right, bottom = self.cell
        seen, (along, down) = float(rng.uniform(0.1, 0.45)), rng.uniform(-20, 20, 2)
        gap = self.weight + 2
        x, y = self.box[0] + along, self.box[1] + down
        corner = (
            (x, min(top - gap, seen * high) - high),
            (max(right + gap, self.width - seen * wide), y),
            (x, max(bottom + gap, self.height - seen * high)),
            (min(left - gap, seen * wide) - wide, y),
        )[side]
        self.stamp(field, corner, longer)

    def stamp(self, ink: Levels, corner: Point, longer: float) -> None:
        alpha = coverage(ink, longer * self.unit)
        if self.texture:
            alpha = self.texture(alpha, self.rng)
        margin = MARGIN * ZOOM * longer / (max(ink.shape) - 2 * MARGIN * ZOOM)
        place = round((corner[0] - margin) * self.unit), round((corner[1] - margin) * self.unit)
        mask = Image.fromarray(np.rint(alpha * 255).astype(np.uint8))
        self.image.paste(self.rgb(self.colours.pen), (*place, place[0] + mask.width, place[1] + mask.height), mask)

    def finished(self, levels: Levels) -> Image.Image:
        """Return what a camera or scanner makes of it: reduced, a little blurred, with some grain."""
        rng, factor = self.rng, self.oversampling()
        size = max(round(levels.shape[1] / factor), 60), max(round(levels.shape[0] / factor), 60)
        levels = cv2.resize(levels, size, interpolation=cv2.INTER_AREA)
        if rng.random() < 0.6:
            levels = cv2.GaussianBlur(levels, (0, 0), float(rng.uniform(0.3, 0.3 + 0.007 * 100 * self.scale)))
        grain = rng.normal(0, rng.uniform(0, 4), (*levels.shape[:2], 1))
        image = Image.fromarray(np.clip(levels + grain, 0, 255).astype(np.uint8))
        image.thumbnail((1200, 1200))
        return image
