"""Pictures as people have them: a cell of a form, and a phone's photo of a sheet on a desk."""

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from tests.support.drawings import draw


def form_cell(digit: int) -> Image.Image:
    """A digit in a box, with a label above it and a line below that runs across the picture."""
    cell = draw(digit, size=(420, 360), centre=(210, 205), height=130, brush=13, ink=40)
    pen = ImageDraw.Draw(cell)
    pen.rectangle((120, 110, 300, 300), outline=60, width=3)
    pen.text((122, 70), "Number", fill=60, font=ImageFont.load_default(28))
    pen.line((0, 330, 420, 330), fill=60, width=3)
    return cell


def phone_photo(digit: int, size: tuple[int, int] = (1200, 1600)) -> Image.Image:
    """A sheet with a digit on a dark desk, seen at an angle, with a hand's soft shadow across it."""
    sheet = draw(digit, size=size, centre=(size[0] * 0.5, size[1] * 0.45), height=size[1] * 0.2, brush=34, ink=50)
    across, down = np.array([0.0, 1, 1, 0]) * size[0], np.array([0.0, 0, 1, 1]) * size[1]
    corners = np.array([(0.16, 0.1), (0.86, 0.16), (0.95, 0.9), (0.06, 0.86)]) * size
    # The perspective that maps the photo's corners of the sheet back to the sheet: eight equations (Pillow's order).
    rows = [[(x, y, 1, 0, 0, 0, -x * u, -y * u), (0, 0, 0, x, y, 1, -x * v, -y * v)]
            for (x, y), u, v in zip(corners, across, down, strict=True)]  # fmt: skip
    right = np.stack([across, down], axis=1).ravel()
    perspective = tuple(np.linalg.solve(np.array(rows).reshape(8, 8), right))
    seen = sheet.convert("LA").transform(size, Image.Transform.PERSPECTIVE, perspective, Image.Resampling.BICUBIC)
    paper, alpha = seen.split()
    rng = np.random.default_rng(5)
    grain = rng.normal(0, 4, (size[1], size[0])) + 8 * np.sin(np.arange(size[1]) / 9)[:, None]
    desk = Image.fromarray((84 + grain).clip(0, 255).astype(np.uint8))
    desk.paste(paper.point(lambda level: level * 220 // 255), mask=alpha)
    shadow = Image.new("L", size, 255)
    ImageDraw.Draw(shadow).ellipse((size[0] * 0.5, size[1] * 0.5, size[0] * 1.4, size[1] * 1.3), fill=150)
    shade = shadow.filter(ImageFilter.GaussianBlur(size[0] / 15))
    return Image.merge(
        "RGB", [ImageChops.multiply(desk, shade).point(lambda v, f=f: int(v * f)) for f in (1, 0.97, 0.9)]
    )
