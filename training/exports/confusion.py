"""A confusion matrix as a picture."""

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

CELL, MARGIN = 56, 72
RIGHT, WRONG = (37, 99, 175), (193, 68, 14)  # what a cell fades to: the diagonal, and all others
INK, PAPER = (31, 41, 55), (255, 255, 255)


def render_confusion(confusion: Sequence[Sequence[int]]) -> bytes:
    """Return the counts as a PNG (row: true digit, column: predicted); the colour is the share of the row."""
    side = MARGIN + CELL * len(confusion) + CELL // 4
    image = Image.new("RGB", (side, side), PAPER)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(17)
    draw.text((MARGIN + CELL * 5, 16), "predicted digit", INK, font, anchor="mm")
    draw.text((8, MARGIN - 18), "true digit", INK, font, anchor="lm")
    for digit, row in enumerate(confusion):
        middle = MARGIN + CELL * digit + CELL // 2
        draw.text((middle, MARGIN - 18), str(digit), INK, font, anchor="mm")
        draw.text((MARGIN - 18, middle), str(digit), INK, font, anchor="mm")
        for predicted, count in enumerate(row):
            left = MARGIN + CELL * predicted
            share = count / max(1, sum(row))
            strength = share if predicted == digit else min(1.0, 60 * share) if count else 0.0
            top = MARGIN + CELL * digit
            colour = mix(RIGHT if predicted == digit else WRONG, strength)
            draw.rectangle((left, top, left + CELL - 2, top + CELL - 2), colour)
            text = PAPER if strength > 0.5 else INK
            draw.text((left + CELL // 2 - 1, middle - 1), str(count), text, font, anchor="mm")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def mix(colour: tuple[int, int, int], strength: float) -> tuple[int, ...]:
    """Return the colour on a pale ground: 0 is almost the ground, 1 the colour."""
    return tuple(round(246 + (part - 246) * strength) for part in colour)
