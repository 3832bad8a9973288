"""Drawings that do not come alone: on sheets that lie on something, in frames, beside margins, on transparency."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from recognition.errors import BlankDrawing
from recognition.imaging import prepare, preprocess
from tests.support.drawings import draw, encode

Picture = Image.Image
CLEAR = (0, 0, 0, 0)


def alike(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    return float(np.abs(one - other).mean()) < 0.035


def sheet(digit: int) -> Picture:
    return draw(digit, height=130, brush=16)


def on_a_desk(digit: int) -> Picture:
    desk = Image.new("L", (400, 400), 60)
    desk.paste(sheet(digit), (60, 50))
    return desk


def with_boxes(*boxes: tuple[int, int, int, int], **style: int) -> Callable[[int], Picture]:
    def surrounded(digit: int) -> Picture:
        image = sheet(digit)
        for box in boxes:
            ImageDraw.Draw(image).rectangle(box, **style)
        return image

    return surrounded


def round_sticker(digit: int) -> Picture:
    image, hole = sheet(digit).convert("RGBA"), Image.new("L", (280, 280))
    ImageDraw.Draw(hole).ellipse((0, 0, 279, 279), fill=255)
    image.putalpha(hole)
    return Image.composite(image, Image.new("RGBA", image.size, CLEAR), hole)


def slightly_turned(digit: int) -> Picture:
    return sheet(digit).convert("RGBA").rotate(3, Image.Resampling.BICUBIC, expand=True)


def inverted(image: Picture) -> Picture:
    return image.point(lambda level: 255 - level)


def cropped(image: Picture) -> Picture:
    """Cut close to its ink."""
    return image.crop(inverted(image).getbbox())


LEFT, BELOW = (0, 0, 30, 279), (0, 250, 279, 279)
SURROUNDED = {
    "on a desk": on_a_desk,
    "in a frame": with_boxes((0, 0, 279, 279), outline=0, width=3),
    "in a form field": with_boxes((12, 12, 267, 267), outline=0, width=3),
    "a line below": with_boxes((0, 275, 279, 279), fill=30),
    "a dark margin on the left": with_boxes(LEFT, fill=30),
    "a dark margin above": with_boxes((0, 0, 279, 30), fill=30),
    "dark along two sides": with_boxes(LEFT, BELOW, fill=30),
    "a round sticker": round_sticker,
    "a sheet slightly turned": slightly_turned,
}


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("around", SURROUNDED.values(), ids=SURROUNDED.keys())
def test_what_surrounds_a_digit_is_left_out(around: Callable[[int], Picture], digit: int) -> None:
    assert alike(prepare(encode(around(digit))), preprocess(sheet(digit)))


@pytest.mark.parametrize("digit", [0, 6, 8, 9])
@pytest.mark.parametrize("brush", [40, 70])
def test_a_thick_digit_is_no_sheet(digit: int, brush: int) -> None:
    """Its loops all but closed, cut close, in either polarity: the ink stays the ink."""
    image = draw(digit, height=180, brush=brush)
    assert alike(preprocess(cropped(image)), preprocess(image))
    assert alike(preprocess(inverted(image)), preprocess(image))


def test_the_hat_of_a_five_along_the_edge_of_a_close_cut_stays() -> None:
    belly = [(0.3, 0.15), (0.27, 0.45), (0.6, 0.45), (0.75, 0.7), (0.5, 1.0), (0.2, 0.95)]
    image = draw(5, strokes=[belly, [(0.2, 0.0), (0.75, 0.0)]], brush=14)
    assert alike(preprocess(cropped(image)), preprocess(image))


@pytest.mark.parametrize("colour", [0, 255])
def test_a_short_thick_one_on_transparency_is_ink(colour: int) -> None:
    image = draw(1, height=60, brush=26, ink=(colour, colour, colour, 255), paper=CLEAR, mode="RGBA")
    assert alike(prepare(encode(image)), preprocess(draw(1, height=60, brush=26)))


def test_an_empty_sheet_with_transparent_corners_is_blank() -> None:
    image, corners = Image.new("RGBA", (280, 280), (250, 250, 250, 255)), Image.new("L", (280, 280))
    ImageDraw.Draw(corners).rounded_rectangle((0, 0, 279, 279), 20, fill=255)
    image.putalpha(corners)
    with pytest.raises(BlankDrawing):
        prepare(encode(image))


@pytest.mark.parametrize("digit", range(10))
def test_an_mnist_picture_passes_unchanged_as_transparency_too(digit: int) -> None:
    plain = preprocess(draw(digit))
    levels = np.rint(plain * 255).astype(np.uint8)
    clear = Image.new("RGBA", (28, 28), CLEAR)
    clear.putalpha(Image.fromarray(levels))
    assert np.array_equal(prepare(encode(clear)), prepare(encode(Image.fromarray(255 - levels))))


@pytest.mark.parametrize("strength", [40, 60, 120])
@pytest.mark.parametrize("digit", range(10))
def test_a_faint_picture_of_mnists_size_is_brought_to_full_strength(digit: int, strength: int) -> None:
    plain = preprocess(draw(digit))
    faint = Image.fromarray((255 - np.rint(plain * strength)).astype(np.uint8))
    ready = prepare(encode(faint))
    assert ready.max() > 0.9
    assert alike(ready, plain)
