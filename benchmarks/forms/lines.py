"""Straight lines, boxes, tables, combs and rings around a digit: functions that draw on a page."""

import numpy as np

from benchmarks.forms.page import Page, Point

FAR = 400.0  # units; longer than a picture


def ends(page: Page, side: int, before: float, after: float) -> tuple[Point, Point]:
    """Return the ends of a side of the cell (0 top, 1 right, 2 bottom, 3 left), each carried on by so many units."""
    left, top, right, bottom = page.cell
    if side % 2 == 0:
        y = top if side == 0 else bottom
        return (left - before, y), (right + after, y)
    x = right if side == 1 else left
    return (x, top - before), (x, bottom + after)


def any_sides(page: Page, least: int = 1, most: int = 4) -> list[int]:
    count = int(page.rng.integers(least, most + 1))
    return [int(side) for side in page.rng.permutation(4)[:count]]


def single(page: Page) -> None:
    """One line at any side: part of the side, all of it, or through the picture."""
    side, rng = any_sides(page, 1, 1)[0], page.rng
    before, after = rng.choice([FAR, rng.uniform(-40, 20)], 2)
    page.line(ends(page, side, float(before), float(after)))


def rails(page: Page) -> None:
    first, reach = int(page.rng.integers(2)), float(page.rng.choice([FAR, 5.0]))
    for side in (first, first + 2):
        page.line(ends(page, side, reach, reach))


def corner(page: Page) -> None:
    """Two lines that meet, and end there or somewhere outside."""
    first, rng = int(page.rng.integers(4)), page.rng
    over = float(rng.choice([0.0, rng.uniform(0, 20), FAR]))
    for side, meets_at_end in ((first, first < 2), ((first + 1) % 4, first in (1, 2))):
        far = float(rng.choice([FAR, rng.uniform(-30, 10)]))
        page.line(ends(page, side, far, over) if meets_at_end else ends(page, side, over, far))


def crossing(page: Page) -> None:
    """Two, three or four lines across the whole picture: the crossings of a table without its corners."""
    first = int(page.rng.integers(4))
    for side in [first, (first + 1) % 4, *any_sides(page, 0, 2)]:
        page.line(ends(page, side, FAR, FAR))


def three_sides(page: Page) -> None:
    left_out = page.rng.integers(4)
    for side in range(4):
        if side != left_out:
            page.line(ends(page, side, 0, 0))


def doubled(page: Page) -> None:
    """Double lines: one to four sides, each with a second line outside."""
    page.weight = float(page.rng.uniform(0.8, 2.2))
    apart, reach = page.weight + float(page.rng.uniform(2, 7)), float(page.rng.choice([0.0, FAR]))
    for side in any_sides(page):
        line = ends(page, side, reach, reach)
        way = ((0, -1), (1, 0), (0, 1), (-1, 0))[side]
        page.line(line)
        page.line([(x + way[0] * apart, y + way[1] * apart) for x, y in line])


def mixed_lines(page: Page) -> None:
    LINES[page.rng.integers(len(LINES))](page)


LINES = (single, rails, corner, crossing, three_sides)


def hairlines(page: Page) -> None:
    page.weight = float(page.rng.uniform(0.4, 1.0))
    mixed_lines(page)


def thick_lines(page: Page) -> None:
    page.weight = float(page.rng.uniform(7, 15))
    mixed_lines(page)


def dashed(page: Page) -> None:
    """Dashes, or dots as short as the line is wide; as lines or as a box."""
    page.weight = float(page.rng.uniform(1.2, 4))
    dash = float(page.rng.choice([page.weight, page.rng.uniform(3, 14)]))
    page.dash = dash, float(page.rng.uniform(0.6, 1.8) * dash + 1)
    (mixed_lines if page.rng.random() < 0.5 else box)(page)


def turned(page: Page) -> None:
    page.tilt = float(page.rng.choice([-1, 1]) * page.rng.uniform(1.5, 5))
    (mixed_lines if page.rng.random() < 0.6 else box)(page)


def box(page: Page) -> None:
    left, top, right, bottom = page.cell
    page.line([(left, top), (right, top), (right, bottom), (left, bottom), (left, top), (right, top)])


def flush(page: Page) -> None:
    """The box's line is the picture's border: all of it or what the crop left of it, on all sides or some."""
    page.tilt = 0.0
    for side in any_sides(page, 2, 4):
        page.line(ends(page, side, FAR, FAR), page.weight * float(page.rng.uniform(0.5, 2.5)))


def rounded_outline(page: Page) -> list[Point]:
    left, top, right, bottom = page.cell
    radius = float(page.rng.uniform(0.08, 0.45)) * min(right - left, bottom - top)
    points: list[Point] = []
    corners = ((right, top, -90, -1, 1), (right, bottom, 0, -1, -1), (left, bottom, 90, 1, -1), (left, top, 180, 1, 1))
    for x, y, start, across, down in corners:
        for turn in np.deg2rad(np.linspace(start, start + 90, 12)):
            middle = x + across * radius, y + down * radius
            points.append((float(middle[0] + radius * np.cos(turn)), float(middle[1] + radius * np.sin(turn))))
    return points


def rounded(page: Page) -> None:
    points = rounded_outline(page)
    page.line([*points, *points[:2]])


def ring(page: Page) -> None:
    """A circle or an ellipse around the digit, printed or drawn by hand and not quite closed."""
    left, top, right, bottom = page.box
    middle, half = ((left + right) / 2, (top + bottom) / 2), ((right - left) / 2, (bottom - top) / 2)
    rng = page.rng
    reach = float(np.hypot(*half)) + float(rng.uniform(6, 22))
    wide = reach if rng.random() < 0.6 else max(half[0] * 1.5 + 8, reach * float(rng.uniform(0.8, 1.3)))
    start = float(rng.uniform(0, 360))
    page.curve(middle, (wide, reach), (start, start + float(rng.choice([360, 325, 375]))))


def brackets(page: Page) -> None:
    """Square or round brackets, braces of a form, or the four corner marks of a cell."""
    left, top, right, bottom = page.cell
    kind, arm = page.rng.integers(3), float(page.rng.uniform(8, 25))
    if kind == 0:
        for x, way in ((left, 1), (right, -1)):
            page.line([(x + way * arm, top), (x, top), (x, bottom), (x + way * arm, bottom)])
    elif kind == 1:
        middle, high = (top + bottom) / 2, (bottom - top) / 2
        page.curve((left + arm, middle), (arm, high), (110, 250))
        page.curve((right - arm, middle), (arm, high), (-70, 70))
    else:
        for x, across in ((left, 1), (right, -1)):
            for y, down in ((top, 1), (bottom, -1)):
                page.line([(x + across * arm, y), (x, y), (x, y + down * arm)])


def table(page: Page) -> None:
    """A cell of a table. What stands in the cells around is cut off by the picture's border."""
    for side in range(4):
        page.line(ends(page, side, FAR, FAR), page.weight * float(page.rng.choice([1, 1, 1, 2])))
    neighbours(page, any_sides(page, 1, 3))


def neighbours(page: Page, sides: list[int], digits: float = 0.6) -> None:
    """Put digits or words into the cells at these sides, cut off by the picture's border."""
    left, top, right, bottom = page.cell
    rng = page.rng
    for side in sides:
        room = (top, page.width - right, page.height - bottom, left)[side]
        if room < 8:
            continue
        if rng.random() < digits:
            page.write_neighbour(side, float(rng.uniform(80, 110)))
            continue
        gap = float(rng.uniform(2, 0.6 * room)) + page.weight
        words = str(rng.choice(["Total", "14", "No.", "km", "x", "Datum", "sum", "A3", "2026"]))
        middle = (left + right) / 2, (top + bottom) / 2
        place = (middle[0], top - gap), (right + gap, middle[1]), (middle[0], bottom + gap), (left - gap, middle[1])
        page.text(place[side], words, float(rng.uniform(18, 45)), ("mb", "lm", "mt", "rm")[side])


def comb(page: Page) -> None:
    """Character boxes of a form: walls of part of the height, a base line, other digits beside it cut off."""
    left, top, right, bottom = page.cell
    rng = page.rng
    wall = top + (bottom - top) * float(rng.uniform(0, 0.75))
    reach = float(rng.choice([0.0, FAR]))
    page.line([(left - reach, bottom), (right + reach, bottom)])
    for x in (left, right):
        page.line([(x, wall), (x, bottom)])
    if rng.random() < 0.25:
        page.line([(left - reach, top), (right + reach, top)])
    if rng.random() < 0.7:
        neighbours(page, [1, 3] if rng.random() < 0.6 else [int(rng.choice([1, 3]))], 0.9)


def touching(page: Page) -> None:
    """The digit's outermost ink lies on a line; alone, as a base line, or with the rest of the box."""
    rng, (left, top, right, bottom) = page.rng, page.cell
    side, deep = int(rng.integers(4)), float(rng.uniform(-3, 5))
    x0, y0, x1, y1 = page.box
    page.cell = (
        x0 + deep if side == 3 else left, y0 + deep if side == 0 else top,
        x1 - deep if side == 1 else right, y1 - deep if side == 2 else bottom,
    )  # fmt: skip
    page.tilt = float(rng.uniform(-0.5, 0.5))
    if rng.random() < 0.5:
        box(page)
    else:
        page.line(ends(page, side, FAR, FAR))


def crossed(page: Page) -> None:
    """A line of the paper runs through the digit: its lower or upper part crosses it, as in a hurried hand."""
    rng, (x0, y0, x1, y1) = page.rng, page.box
    share = float(rng.uniform(0.08, 0.25))
    level = rng.choice([y0 + share * (y1 - y0), y1 - share * (y1 - y0)])
    page.weight = float(rng.uniform(0.8, 3))
    if rng.random() < 0.75:
        page.line([(-FAR, level), (FAR, level)])
    else:
        upright = float(rng.choice([x0 + share * (x1 - x0), x1 - share * (x1 - x0)]))
        page.line([(upright, -FAR), (upright, FAR)])
