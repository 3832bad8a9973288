"""Lines of digits as the shipped model reads them: from a drawn picture to its number."""

from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from benchmarks import accuracy, wrong_cuts
from recognition.errors import MAX_DIGITS, BlankDrawing, TooManyDigits
from recognition.imaging import find_number
from recognition.prediction.classifier import Classifier
from recognition.prediction.numbers import NumberPrediction, predict_numbers
from tests.support.drawings import STROKES, Point, dot, draw

HEIGHT, PEN = 80.0, 8.0
PITCH = 0.95  # from one digit to the next, in heights; the digits are about 0.6 wide
Strokes = list[list[Point]]

# The pen is lifted within a digit: the bar of the 5 stands apart from its body, the 0 is in two halves.
FIVE_WITH_LOOSE_BAR: Strokes = [[(0.29, 0.2), *STROKES[5][0][1:]], [(0.32, 0.0), (0.8, -0.02)]]
BROKEN_ZERO: Strokes = [STROKES[0][0][3:20], STROKES[0][0][22:]]


@cache
def shipped_classifier() -> Classifier:
    return accuracy.shipped_classifier()


def read(image: Image.Image) -> NumberPrediction:
    return predict_numbers(shipped_classifier(), [find_number(image)])[0]


def write(
    digits: list[int | Strokes],
    *,
    pitch: float = PITCH,
    rise: float = 0.0,
    heights: tuple[float, ...] = (1.0,),
    ink: int = 0,
    paper: int = 255,
) -> Image.Image:
    """Draw digits beside each other; `rise` is the slope of the line, `heights` repeat along it."""
    strokes = []
    for place, digit in enumerate(digits):
        size, across = heights[place % len(heights)], place * pitch
        for stroke in STROKES[digit] if isinstance(digit, int) else digit:
            strokes += [[(across + x * size, 1 - size - rise * across + y * size) for x, y in stroke]]
    length, climb = pitch * len(digits), rise * pitch * len(digits)
    canvas = round((length + 0.8) * HEIGHT), round((1.6 + abs(climb)) * HEIGHT)
    centre = 0.8 * HEIGHT, (0.8 + max(climb, 0)) * HEIGHT
    return draw(size=canvas, height=HEIGHT, brush=PEN, centre=centre, strokes=strokes, ink=ink, paper=paper)


def written(number: str, **how) -> Image.Image:
    return write([int(digit) for digit in number], **how)


PICTURES: dict[str, tuple[str, Image.Image]] = {
    "one digit": ("7", written("7")),
    "two": ("42", written("42")),
    "five": ("98105", written("98105")),
    "close together": ("36724", written("36724", pitch=0.8)),
    "touching": ("36724", written("36724", pitch=0.7)),
    "two that touch": ("58", written("58", pitch=0.7)),
    "far apart": ("253", written("253", pitch=1.6)),
    "as many as allowed": ("2754386902" * 2, written("2754386902" * 2)),
    "a rising line": ("45263", written("45263", rise=0.25)),
    "a falling line": ("45263", written("45263", rise=-0.2)),
    "uneven heights": ("72549", written("72549", heights=(1.0, 0.7, 0.85))),
    "light on dark": ("98105", written("98105", ink=255, paper=20)),
    "faint": ("306", written("306", ink=180, paper=235)),
    "ones and zeros": ("1001", written("1001")),
    "a 5 with a loose bar": ("352", write([3, FIVE_WITH_LOOSE_BAR, 2])),
    "a broken 0": ("702", write([7, BROKEN_ZERO, 2])),
    "a speck": ("364", dot(written("364"), 12, 110, 2)),
    "a full stop": ("364", dot(written("364"), 272, 101, 4)),
}


@pytest.mark.parametrize(("number", "image"), PICTURES.values(), ids=PICTURES.keys())
def test_the_number_is_read(number: str, image: Image.Image) -> None:
    prediction = read(image)
    assert prediction.number == number
    assert 0.0 < prediction.confidence <= min(digit.confidence for digit in prediction.digits)


@pytest.mark.parametrize("height", [150, 400])
def test_a_pen_of_one_pixel_is_read_in_digits_of_any_size(height: int) -> None:
    points = [[(place * PITCH + x, y) for x, y in stroke] for place in (0, 1) for stroke in STROKES[5 - 3 * place]]
    loose = [(2 * PITCH, 1.0), (2 * PITCH + 0.05, 1.1)]  # a low part that belongs to no digit
    image = draw(
        size=(3 * height, 2 * height), height=height, brush=1, centre=(height / 2, height / 2), strokes=[*points, loose]
    )
    assert read(image).number == "52"


def test_the_boxes_lie_around_the_digits_from_left_to_right() -> None:
    image = written("98105")
    boxes = [digit.candidate.box() for digit in read(image).digits]
    for place, (left, top, width, height) in enumerate(boxes):
        middle = (0.8 + place * PITCH) * HEIGHT
        assert abs(left + width / 2 - middle) < 0.2 * HEIGHT
        assert abs(height - (HEIGHT + PEN)) < 0.1 * HEIGHT
        ink = ImageOps.invert(image.crop((left, top, left + width, top + height))).getbbox()
        assert ink is not None


def test_the_box_holds_the_whole_digit_if_it_is_in_pieces() -> None:
    _, five, zero = (digit.candidate.box() for digit in read(write([3, FIVE_WITH_LOOSE_BAR, BROKEN_ZERO])).digits)
    for _, top, width, height in (five, zero):
        assert abs(top - 0.3 * HEIGHT) < 0.1 * HEIGHT
        assert abs(height - (HEIGHT + PEN)) < 0.1 * HEIGHT
        assert width > 0.5 * HEIGHT


def test_boxes_count_from_the_corner_of_a_picture_with_clear_margins() -> None:
    page = Image.new("RGBA", (500, 300), (0, 0, 0, 0))
    page.paste(written("42").convert("RGBA"), (60, 40))
    boxes = [digit.candidate.box() for digit in read(page).digits]
    alone = [digit.candidate.box() for digit in read(written("42")).digits]
    assert boxes == [(left + 60, top + 40, width, height) for left, top, width, height in alone]


def test_a_line_with_a_letter_is_uncertain() -> None:
    letter: Strokes = [[(0.2, 1.0), (0.2, 0.0), (0.5, 0.6), (0.8, 0.0), (0.8, 1.0)]]  # M
    assert read(write([3, letter, 6])).uncertain_reason
    assert not read(written("356")).uncertain_reason


def test_digits_that_share_much_ink_are_seldom_misread_without_being_uncertain() -> None:
    """A bound on what is misread, not a promise for any of them: their outlines alone do not tell them apart."""
    numbers = ("58", "36724", "98105", "3306", "42", "27", "690", "8351", "1476")
    found = [(number, read(written(number, pitch=pitch))) for number in numbers for pitch in (0.54, 0.58, 0.62)]
    right = [number for number, one in found if one.number == number]
    sure = [(number, one.number) for number, one in found if one.number != number and not one.uncertain_reason]
    assert len(right) >= len(found) / 4
    assert len(sure) <= len(found) / 5, sure


@pytest.mark.parametrize(("length", "pen"), [(640, 14), (640, 3), (200, 8)])
def test_a_long_dash_is_one_uncertain_digit(length: int, pen: int) -> None:
    """The page asks while somebody draws, and the bar of a 7 may come first."""
    dash = Image.new("L", (length + 20, pen + 20), 255)
    dash.paste(0, (10, 10, 10 + length, 10 + pen))
    prediction = read(dash)
    assert (len(prediction.digits), bool(prediction.uncertain_reason)) == (1, True)


def test_more_digits_than_allowed_are_refused() -> None:
    with pytest.raises(TooManyDigits):
        find_number(written("2" * (MAX_DIGITS + 1)))


def hairlines(height: float) -> Image.Image:
    """Draw 472 with a pen of one pixel, which is far less at the size in which digits are looked for."""
    picture = Image.new("L", (round(3.4 * height), round(1.3 * height)), 255)
    pen = ImageDraw.Draw(picture)
    for place, digit in enumerate((4, 7, 2)):
        for stroke in STROKES[digit]:
            pen.line([((place + x + 0.2) * height, (y + 0.15) * height) for x, y in stroke], fill=0)
    return picture


@pytest.mark.parametrize("height", [150, 300, 600, 900])
def test_hairlines_are_read(height: int) -> None:
    assert read(hairlines(height)).number == "472"


def test_flat_marks_beside_a_hairline_are_no_error() -> None:
    """A stroke that has nearly no ink is a piece all the same, to which low parts may belong."""
    picture = Image.new("L", (300, 100), 255)
    pen = ImageDraw.Draw(picture)
    pen.line([(50, 10), (85, 90)], fill=0)
    pen.line([(100, 50), (120, 52)], fill=0)
    assert read(picture).digits


@pytest.mark.parametrize("marks", [1, 4, 9])
def test_stray_pixels_are_no_digits(marks: int) -> None:
    picture = Image.new("L", (500, 200), 255)
    for place in range(marks):
        picture.putpixel((37 + 53 * place, 90 + 7 * place % 30), 0)
    with pytest.raises(BlankDrawing):
        find_number(picture)


def grained(image: Image.Image) -> Image.Image:
    noise = np.random.default_rng(7).normal(-30, 9, (image.height, image.width))
    return Image.fromarray((np.asarray(image) + noise).clip(0, 255).astype(np.uint8))


WIDE = Image.new("L", (2800, 30), 255)
WIDE.paste(written("98105").resize((126, 30)), (1300, 0))
REACHING_OUT = written("36724").crop((30, 20, 400, 130)).resize((1111, 331))


@pytest.mark.parametrize(
    "image",
    [REACHING_OUT, ImageOps.invert(REACHING_OUT), grained(REACHING_OUT), WIDE, grained(WIDE), hairlines(700)],
    ids=["over the border", "light", "a photo", "very wide", "a very wide photo", "hairlines"],
)
def test_boxes_and_masks_lie_in_the_picture(image: Image.Image) -> None:
    for digit in read(image).digits:
        left, top, width, height = digit.candidate.box()
        assert 0 <= left < left + width <= image.width
        assert 0 <= top < top + height <= image.height
        mask = digit.candidate.mask(image.size)
        assert mask.size == image.size
        assert mask.getbbox() is not None


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_without_ink_is_refused(level: int) -> None:
    with pytest.raises(BlankDrawing):
        find_number(Image.new("L", (300, 120), level))


@pytest.mark.parametrize(
    ("kind", "least", "most"),
    [
        ("fragment of a digit", 0.55, 1),
        ("digit with a piece of its neighbour", 0.75, 1),
        ("two digits", 0.94, 1),
        ("whole digit", 0, 0.02),
    ],
)
def test_what_wrong_cuts_leave_is_more_uncertain_than_whole_digits(kind: str, least: float, most: float) -> None:
    model = accuracy.shipped_classifier()
    probabilities = model.probabilities(wrong_cuts.draw(kind, 200))
    assert least <= wrong_cuts.uncertain(model, probabilities) <= most
