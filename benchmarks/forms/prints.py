"""Words, marks and papers around and under a digit."""

import numpy as np

from benchmarks.forms.lines import FAR, any_sides, box, ends, rounded_outline
from benchmarks.forms.page import Colour, Page

WORDS = (
    "Name", "Date", "Qty.", "Betrag", "Q7", "3.", "(b)", "No. 12", "age", "Summe", "Tel.", "Zip code", "1", "8", "EUR",
    "Klasse 5", "x =", "§ 4", "points", "prénom", "kg", "#6", "Yes / No", "please write clearly", "0-9", "a)",
)  # fmt: skip
RULINGS: tuple[Colour, ...] = ((120, 160, 215), (150, 150, 160), (150, 190, 170), (200, 150, 150), (110, 130, 150))


def caption(page: Page) -> None:
    """Small printed words at one or two sides, with or without a box or a line."""
    rng = page.rng
    frame = rng.integers(3)
    if frame == 0:
        box(page)
    elif frame == 1:
        page.line(ends(page, 2, 5, 5))
    for side in any_sides(page, 1, 2):
        beside(page, side, str(rng.choice(WORDS)), float(rng.uniform(13, 30)))


def beside(page: Page, side: int, words: str, size: float) -> None:
    left, top, right, bottom = page.cell
    gap = page.weight + float(page.rng.uniform(3, 8))
    x, y = (left + right) / 2 + float(page.rng.uniform(-20, 20)), (top + bottom) / 2 + float(page.rng.uniform(-20, 20))
    places = (x, top - gap), (right + gap, y), (x, bottom + gap), (left - gap, y)
    page.text(places[side], words, size, ("mb", "lm", "mt", "rm")[side])


def paragraph(page: Page) -> None:
    """Lines of small text above or below, running out of the picture, as on a printed sheet."""
    rng, (left, top, _, bottom) = page.rng, page.cell
    size = float(rng.uniform(9, 20))
    up = rng.random() < 0.5
    for row in range(int(rng.integers(1, 4))):
        words = " ".join(rng.choice(WORDS, 12))
        y = top - 4 - row * size * 1.3 if up else bottom + 4 + row * size * 1.3
        page.text((left - float(rng.uniform(0, 120)), y), words, size, "lb" if up else "lt")


def ticks(page: Page) -> None:
    """Ticks, crosses, arrows, bullets beside a box or beside the digit alone."""
    rng, (left, top, right, bottom) = page.rng, page.cell
    if rng.random() < 0.5:
        box(page)
    size = float(rng.uniform(8, 20))
    page.weight = float(rng.uniform(1.5, 4))
    for side in any_sides(page, 1, 2):
        out = size / 2 + 6
        x = (rng.uniform(left, right), right + out, rng.uniform(left, right), left - out)[side]
        y = (top - out, rng.uniform(top, bottom), bottom + out, rng.uniform(top, bottom))[side]
        x, y, half = float(x), float(y), size / 2
        shape = rng.integers(5)
        if shape == 0:
            page.line([(x - half, y), (x - half / 4, y + half), (x + half, y - half)])
        elif shape == 1:
            page.line([(x - half, y - half), (x + half, y + half)])
            page.line([(x - half, y + half), (x + half, y - half)])
        elif shape == 2:
            page.line([(x - half, y), (x + half, y)])
            page.line([(x, y - half / 2), (x + half, y), (x, y + half / 2)])
        elif shape == 3:
            page.dot((x, y), half * 0.6)
        else:
            page.line(
                [
                    (x - half, y - half),
                    (x + half, y - half),
                    (x + half, y + half),
                    (x - half, y + half),
                    (x - half, y - half),
                ]
            )


def ruling(page: Page) -> Colour:
    """Return the colour of a paper's lines: much paler than the pen."""
    base, share = np.array(RULINGS[page.rng.integers(len(RULINGS))]), float(page.rng.uniform(0.35, 1.2))
    red, green, blue = np.array(page.colours.paper) * (1 - share) + base * share
    return red, green, blue


def ruled(page: Page) -> None:
    """An exercise book's lines, one of them under the digit; at times with a second line for small letters."""
    step, colour = float(page.rng.uniform(60, 150)), ruling(page)
    page.weight = float(page.rng.uniform(0.8, 3.5))
    base = page.box[3] + float(page.rng.uniform(-8, 12))
    for number in range(-6, 7):
        page.line([(-FAR, base + number * step), (FAR * 2, base + number * step)], colour=colour)
        if page.stroke > 0.11:
            page.line([(-FAR, base + (number - 0.4) * step), (FAR * 2, base + (number - 0.4) * step)], colour=colour)


def squared(page: Page) -> None:
    """Squares from a quarter of the digit to larger than the digit, or millimetres with stronger fives."""
    rng, colour = page.rng, ruling(page)
    millimetres = rng.random() < 0.25
    step, weight = float(rng.uniform(7, 10) if millimetres else rng.uniform(22, 110)), float(rng.uniform(0.5, 2.6))
    start_x, start_y = rng.uniform(0, step, 2) - 10 * step
    for number in range(int(700 / step) + 12):
        strong = 1.8 if millimetres and number % 5 == 0 else 1.0
        x, y = float(start_x + number * step), float(start_y + number * step)
        page.line([(x, -FAR), (x, FAR * 2)], weight * strong * (0.5 if millimetres else 1), colour)
        page.line([(-FAR, y), (FAR * 2, y)], weight * strong * (0.5 if millimetres else 1), colour)


def dot_grid(page: Page) -> None:
    step, colour, radius = float(page.rng.uniform(18, 45)), ruling(page), float(page.rng.uniform(0.8, 3.2))
    shift = page.rng.uniform(0, step, 2)
    for x in np.arange(shift[0] - step, page.width + step, step):
        for y in np.arange(shift[1] - step, page.height + step, step):
            page.dot((float(x), float(y)), radius, colour)


def margin(page: Page) -> None:
    """The red line beside the writing, at times with ruled or squared paper."""
    paper = page.rng.integers(3)
    if paper:
        (ruled if paper == 1 else squared)(page)
    side = int(page.rng.choice([1, 3]))
    page.line(ends(page, side, FAR, FAR), float(page.rng.uniform(1, 3)), (215, 90, 95))


def pale_print(page: Page) -> None:
    """The digit stands on pale print: a number, a word, a coloured bar, a raster."""
    rng, (left, top, right, bottom) = page.rng, page.box
    pale, kind = page.mixed(float(rng.uniform(0.08, 0.33))), rng.integers(3)
    if kind == 0:
        page.text(
            ((left + right) / 2, (top + bottom) / 2), str(rng.choice(WORDS)), float(rng.uniform(40, 140)), colour=pale
        )
    elif kind == 1:
        for row in range(int(rng.integers(3, 8))):
            page.text((float(rng.uniform(-60, 0)), row * 24.0), " ".join(rng.choice(WORDS, 9)), 18, "lt", pale)
    else:
        page.line(
            [(-FAR, float(rng.uniform(top, bottom))), (FAR * 2, float(rng.uniform(top, bottom)))],
            float(rng.uniform(30, 90)),
            pale,
        )


def scraps(page: Page) -> None:
    """What a crop leaves of other print at the border: half words, ends of bars, corners of other boxes."""
    rng = page.rng
    if rng.random() < 0.5:
        box(page)
    for side in any_sides(page, 1, 3):
        x = (rng.uniform(0, page.width), page.width, rng.uniform(0, page.width), 0)[side]
        y = (0, rng.uniform(0, page.height), page.height, rng.uniform(0, page.height))[side]
        room = (page.cell[1], page.width - page.cell[2], page.height - page.cell[3], page.cell[0])[side]
        reach, length = float(rng.uniform(0.2, 0.6)) * max(room, 3), float(rng.uniform(8, 60))
        shape = rng.integers(3)
        if shape == 0:
            page.text((float(x), float(y)), str(rng.choice(WORDS)), 2 * reach)
        elif shape == 1:
            tall = (length, reach) if side % 2 == 0 else (reach, length)
            page.line([(x, y - tall[1]), (x, y + tall[1])] if side % 2 else [(x - tall[0], y), (x + tall[0], y)], reach)
        else:
            page.line(
                [(x - length, y), (x, y), (x, y - length)] if side < 2 else [(x + length, y), (x, y), (x, y + length)]
            )


def tinted(page: Page) -> None:
    """A white or tinted field on a form of another colour; a sticker; a cell with a filled head beside it."""
    rng, paper = page.rng, np.array(page.colours.paper)
    tint = (
        paper * rng.uniform(0.55, 0.95, 3) if rng.random() < 0.7 else np.array(page.mixed(float(rng.uniform(0.3, 1))))
    )
    page.fill([(-FAR, -FAR), (2 * FAR, -FAR), (2 * FAR, 2 * FAR), (-FAR, 2 * FAR)], (tint[0], tint[1], tint[2]))
    left, top, right, bottom = page.cell
    square = [(left, top), (right, top), (right, bottom), (left, bottom)]
    outline = rounded_outline(page) if rng.random() < 0.4 else square
    page.fill(outline, page.colours.paper)
    if rng.random() < 0.5:
        page.line([*outline, *outline[:2]])


def streaks(page: Page) -> None:
    """Thin streaks over the whole picture: of a scanner's dirty glass. Those through the digit are pale."""
    rng, upright = page.rng, page.rng.random() < 0.6
    page.tilt = 0.0
    for _ in range(int(rng.integers(1, 5))):
        at = float(rng.uniform(0, page.width if upright else page.height))
        low, high = (page.box[0], page.box[2]) if upright else (page.box[1], page.box[3])
        pale = page.mixed(float(rng.uniform(0.08, 0.3) if low - 5 < at < high + 5 else rng.uniform(0.2, 0.9)))
        page.line(
            [(at, -FAR), (at, FAR * 2)] if upright else [(-FAR, at), (FAR * 2, at)], float(rng.uniform(0.5, 2)), pale
        )


def windows(page: Page) -> None:
    """A drawing program: a bar with words and icons at a side, the canvas' border, the mouse pointer."""
    rng, (left, top, right, bottom) = page.rng, page.cell
    page.tilt, side = 0.0, int(rng.choice([0, 2]))
    edge, out = (top, -FAR) if side == 0 else (bottom, FAR * 2)
    tone = page.mixed(float(rng.uniform(0.1, 0.9)))
    if rng.random() < 0.7:
        page.fill([(-FAR, edge), (FAR * 2, edge), (FAR * 2, out), (-FAR, out)], tone)
    page.line([(-FAR, edge), (FAR * 2, edge)], float(rng.uniform(0.8, 3)))
    room = (page.cell[1] if side == 0 else page.height - bottom) / 2
    for x in np.arange(rng.uniform(0, 20), page.width * rng.uniform(0.2, 1), max(room * 2.2, 12)):
        page.dot((float(x), edge + (room if side else -room)), room * 0.45, page.colours.paper)
    if rng.random() < 0.5:
        page.text(((left + right) / 2, edge + (room if side else -room)), str(rng.choice(WORDS)), room)
    if rng.random() < 0.4:
        outline = rounded_outline(page)
        page.line([*outline, *outline[:2]])
