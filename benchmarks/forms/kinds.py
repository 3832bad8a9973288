"""The kinds of surroundings, and the pictures of each."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from benchmarks.forms import desks, ink, light, lines, prints
from benchmarks.forms.ink import Levels, Rng
from benchmarks.forms.page import Colours, Layout, Page, ink_on_paper

WIDE = Layout(around=(28, 75))
PASTELS = ((255, 236, 150), (200, 225, 250), (200, 240, 200), (250, 205, 215), (225, 200, 165), (240, 225, 195))
CRAYONS = ((190, 30, 35), (25, 60, 185), (20, 110, 50), (120, 30, 130), (200, 90, 20))


def coloured(rng: Rng) -> Colours:
    """A coloured pen on coloured paper; at times the two are about as bright as each other."""
    if rng.random() < 0.2:
        pairs = ((250, 225, 90), (215, 60, 40)), ((120, 200, 120), (200, 60, 60)), ((245, 170, 190), (60, 110, 220))
        paper, pen = pairs[rng.integers(3)]
        return Colours(paper, (70, 70, 70), pen)
    paper = PASTELS[rng.integers(len(PASTELS))] if rng.random() < 0.6 else (248, 246, 242)
    return Colours(paper, (70, 70, 70), CRAYONS[rng.integers(len(CRAYONS))])


def slate(rng: Rng) -> Colours:
    board = ((38, 62, 48), (30, 32, 34), (45, 55, 60), (20, 45, 40))[rng.integers(4)]
    return Colours(board, (150, 160, 150), ((235, 235, 230), (245, 225, 150), (240, 190, 200))[rng.integers(3)])


def dark_mode(rng: Rng) -> Colours:
    screen = ((18, 18, 18), (30, 30, 46), (0, 0, 0), (40, 44, 52))[rng.integers(4)]
    pen = ((255, 255, 255), (130, 200, 255), (250, 210, 90), (160, 230, 160))[rng.integers(4)]
    return Colours(screen, (110, 115, 125), pen)


def whiteboard(rng: Rng) -> Colours:
    grey = float(rng.uniform(200, 240))
    pen = ((25, 25, 30), (30, 60, 170), (190, 40, 45), (20, 120, 70))[rng.integers(4)]
    return Colours((grey, grey + 3, grey + 6), (150, 150, 155), pen)


def frame(page: Page) -> None:
    """A board's frame of wood or metal at some of its sides, the wall outside of it or more of the board."""
    rng = page.rng
    colour = ((120, 85, 50), (165, 168, 172), (90, 60, 35))[rng.integers(3)]
    wall = page.colours.paper
    if rng.random() >= 0.4:
        wall = ((205, 200, 185), (225, 225, 225), (150, 165, 170))[rng.integers(3)]
    far = lines.FAR
    for side in lines.any_sides(page, 1, 3):
        (ax, ay), (bx, by) = lines.ends(page, side, far, far)
        out_x, out_y = ((0, -far), (far, 0), (0, far), (-far, 0))[side]
        page.fill([(ax, ay), (bx, by), (bx + out_x, by + out_y), (ax + out_x, ay + out_y)], wall)
        page.line([(ax, ay), (bx, by)], float(rng.uniform(7, 16)), colour)


def screen(rng: Rng) -> Colours:
    toner = ((90, 95, 105), (40, 110, 200), (180, 180, 185))[rng.integers(3)]
    return Colours((255, 255, 255), toner, ((0, 0, 0), (30, 60, 200), (220, 30, 30), (60, 60, 60))[rng.integers(4)])


@dataclass(frozen=True)
class Kind:
    """How a picture of a kind is made: print, ink, light on the page, and what happens to the finished picture."""

    draw: Callable[[Page], None] | None = None
    shoot: Callable[[Page, Levels], Levels] | None = None
    spoil: Callable[[Image.Image, Rng], Image.Image] | None = None
    texture: Callable[[Levels, Rng], Levels] | None = None
    colours: Callable[[Rng], Colours] = ink_on_paper
    layout: Layout = field(default_factory=Layout)

    def picture(self, rng: Rng) -> tuple[int, Image.Image]:
        page = Page(rng, self.colours(rng), self.layout, self.texture)
        if self.draw:
            self.draw(page)
        page.write()
        levels = np.asarray(page.image, np.float32)
        if self.shoot:
            levels = self.shoot(page, levels)
        image = page.finished(levels)
        return page.label, self.spoil(image, rng) if self.spoil else image


def phone(page: Page, levels: Levels) -> Levels:
    """A phone's photo: two things at once."""
    first, second = page.rng.permutation(5)[:2]
    effects = (light.shadow, light.vignette, light.crumpled, light.glare, light.dirt)
    return effects[second](page, effects[first](page, levels))


def any_print(page: Page) -> None:
    PRINTS[page.rng.integers(len(PRINTS))](page)


PRINTS = (
    lines.box, lines.table, lines.comb, prints.caption, lines.single, prints.squared, prints.ruled, lines.crossing,
)  # fmt: skip


KINDS: dict[str, Kind] = {
    "plain": Kind(),
    "line": Kind(lines.single),
    "rails": Kind(lines.rails),
    "corner": Kind(lines.corner),
    "crossing": Kind(lines.crossing),
    "hairlines": Kind(lines.hairlines),
    "thick lines": Kind(lines.thick_lines),
    "double lines": Kind(lines.doubled),
    "dashed": Kind(lines.dashed),
    "turned": Kind(lines.turned),
    "box": Kind(lines.box),
    "flush": Kind(lines.flush, layout=Layout(around=(-1.5, 1))),
    "cut box": Kind(lines.box, layout=Layout(around=(-6, 14))),
    "open box": Kind(lines.three_sides),
    "rounded box": Kind(lines.rounded),
    "table": Kind(lines.table, layout=WIDE),
    "comb": Kind(lines.comb, layout=Layout(gap=(7, 28), around=(6, 60))),
    "ring": Kind(lines.ring, layout=Layout(gap=(25, 50), around=(4, 40))),
    "brackets": Kind(lines.brackets),
    "caption": Kind(prints.caption, layout=Layout(around=(20, 60))),
    "paragraph": Kind(prints.paragraph, layout=Layout(around=(8, 70))),
    "scraps": Kind(prints.scraps, layout=Layout(around=(8, 45))),
    "tinted form": Kind(prints.tinted),
    "ticks": Kind(prints.ticks, layout=Layout(around=(12, 45))),
    "ruled": Kind(prints.ruled),
    "squared": Kind(prints.squared),
    "dot grid": Kind(prints.dot_grid),
    "margin": Kind(prints.margin),
    "pale print": Kind(prints.pale_print),
    "streaks": Kind(prints.streaks),
    "touching": Kind(lines.touching),
    "crossed": Kind(lines.crossed),
    "desk": Kind(shoot=desks.desk_sides),
    "sheet": Kind(shoot=desks.sheet),
    "bars": Kind(shoot=light.bars),
    "shadow": Kind(shoot=light.shadow),
    "vignette": Kind(shoot=light.vignette),
    "glare": Kind(shoot=light.glare, layout=WIDE),
    "finger": Kind(shoot=light.finger, layout=WIDE),
    "pen": Kind(shoot=light.pen, layout=WIDE),
    "holes": Kind(shoot=light.holes, layout=WIDE),
    "torn": Kind(shoot=desks.torn, layout=WIDE),
    "folds": Kind(shoot=light.crumpled),
    "dirt": Kind(shoot=light.dirt),
    "specks": Kind(spoil=light.salt_and_pepper),
    "grain": Kind(shoot=light.grain),
    "jpeg": Kind(spoil=light.jpeg_blocks),
    "blur": Kind(spoil=light.blurred),
    "uneven ink": Kind(texture=ink.uneven),
    "dry pen": Kind(texture=ink.dry),
    "pencil": Kind(texture=ink.pencil),
    "faint": Kind(texture=ink.faint),
    "coloured": Kind(colours=coloured),
    "blackboard": Kind(frame, texture=ink.chalk, colours=slate),
    "whiteboard": Kind(frame, shoot=light.glare, colours=whiteboard, layout=WIDE),
    "screenshot": Kind(prints.windows, colours=screen, layout=Layout(around=(10, 40))),
    "dark mode": Kind(prints.windows, colours=dark_mode, layout=Layout(around=(10, 40))),
    "fax": Kind(any_print, spoil=light.fax, layout=WIDE),
    "form on a desk": Kind(any_print, shoot=desks.sheet),
    "form by phone": Kind(any_print, shoot=phone, layout=WIDE),
    "pencil in a form": Kind(any_print, texture=ink.pencil),
}


def generate(kind: str, each: int, seed: int) -> Iterator[tuple[int, Image.Image]]:
    for number in range(each):
        yield KINDS[kind].picture(np.random.default_rng((seed, zlib.crc32(kind.encode()), number)))
