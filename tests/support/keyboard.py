"""Writing on the pad by keyboard alone."""

from itertools import pairwise

# Corners on a grid of the keyboard's steps, 16 tall: where the pen goes, and where it is lifted.
GRID = {
    "9": [[(8, 0), (3, 0), (0, 3), (0, 6), (3, 9), (6, 8), (9, 4), (9, 0), (9, 16)]],
    "8": [[(5, 7), (1, 4), (2, 1), (5, 0), (8, 1), (9, 4), (1, 11), (1, 14), (5, 16), (9, 14), (9, 11), (5, 7)]],
    "1": [[(4, 0), (4, 16)]],
    "0": [[(5, 0), (2, 1), (0, 5), (0, 11), (2, 15), (5, 16), (8, 15), (10, 11), (10, 5), (8, 1), (5, 0)]],
    "5": [[(9, 0), (1, 0), (1, 7), (6, 6), (9, 9), (9, 13), (6, 16), (0, 16)]],
}


def type_line(page, before, after):
    """Press arrow keys, one step at a time, along a line."""
    (x, y), (to_x, to_y) = before, after
    longer = max(abs(to_x - x), abs(to_y - y))
    for step in range(1, longer + 1):
        next_x, next_y = (round(a + (b - a) * step / longer) for a, b in zip(before, after, strict=True))
        for key, moves in (("Right", next_x > x), ("Left", next_x < x), ("Down", next_y > y), ("Up", next_y < y)):
            if moves:
                page.keyboard.press(f"Arrow{key}")
        x, y = next_x, next_y


def type_number(page, number):
    """Write with arrow keys and Space alone, from the pad's left side."""
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowRight")
    at = (0, 0)
    for place, digit in enumerate(number):
        for corners in GRID[digit]:
            path = [(x + 14 * place, y) for x, y in corners]
            type_line(page, at, path[0])
            page.keyboard.press("Space")
            for before, after in pairwise(path):
                type_line(page, before, after)
            page.keyboard.press("Space")
            at = path[-1]
