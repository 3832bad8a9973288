"""What the service makes of a picture, seen from outside: bytes in, the 28x28 array or a named error out."""

from contextlib import suppress
from io import BytesIO
from itertools import product
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from numpy.typing import NDArray
from PIL import Image

from recognition import errors
from recognition.imaging import encode_png, prepare
from recognition.imaging.preprocessing import centre_of_mass
from tests.support import drawings
from tests.support.cpu_time import least_cpu_seconds
from tests.support.drawings import dot, draw, encode
from tests.support.fives import SAME
from training.learner import dataset

ALIKE = 0.02  # mean absolute difference of two arrays that show the same digit; other digits differ by 0.1 and more
SIMILAR = 1.5 * ALIKE
CLEAR = (0, 0, 0, 0)
Array = NDArray[np.float32]


def difference(one, other) -> float:
    return float(np.abs(one - other).mean())


def prepared(digit: int = 5, *size: Any, **how: Any) -> Array:
    return prepare(encode(draw(digit, *size, **how)))


@pytest.fixture(scope="module")
def plain() -> dict[int, np.ndarray]:
    """Every digit as a plain black-on-white drawing gives it."""
    return {digit: prepared(digit) for digit in range(10)}


def test_answers_a_float_array_of_ink_on_nothing(plain):
    for array in plain.values():
        assert array.shape == (28, 28)
        assert array.dtype == np.float32
        assert array.min() == 0.0
        assert 0.9 < array.max() <= 1.0


def test_digits_stay_apart(plain):
    gaps = [difference(plain[a], plain[b]) for a in range(10) for b in range(a)]
    assert min(gaps) > 2 * ALIKE


# -- one digit, many pictures of it ------------------------------------------------------------------------------


@pytest.mark.parametrize("data", SAME.values(), ids=SAME.keys())
def test_same_digit_in_every_mode_and_polarity(data, plain):
    assert difference(prepare(data), plain[5]) < ALIKE


PLACES = [(centre, height) for centre in ((90, 90), (190, 100), (140, 200)) for height in (60, 120)]
DRAWN: dict[str, tuple[dict[str, Any], float]] = {
    **{f"size {size}": ({"size": size}, SIMILAR) for size in (64, 150, 600, 1500, (300, 500), (900, 200))},
    "size 28": ({"size": 28}, 0.045),
    **{f"brush {brush}": ({"brush": brush}, 0.05) for brush in (2, 6, 12, 40)},
    **{f"{h} high at {c}": ({"height": h, "brush": h * 0.14, "centre": c}, SIMILAR) for c, h in PLACES},
}


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize(("how", "bound"), DRAWN.values(), ids=DRAWN.keys())
def test_size_place_and_pen_do_not_matter(digit, how, bound, plain):
    array = prepared(digit, **how)
    assert difference(array, plain[digit]) < bound
    assert 0.65 < array.sum() / plain[digit].sum() < 1.35


def test_the_largest_picture_and_a_small_digit_on_a_very_large_one(plain):
    assert difference(prepared(5, 4096), plain[5]) < ALIKE
    assert difference(prepared(5, 3000, height=110, brush=15, centre=(700, 2200)), plain[5]) < 0.04


@pytest.mark.parametrize("width", range(2, 9))
def test_blocks_in_the_smallest_pictures_are_read_or_refused(width):
    """A block may be taken for a sheet, of which nothing is left inside."""
    for height, left in product(range(2, 9), (0, 1)):
        levels = np.full((8, 9), 255, np.uint8)
        levels[:height, left : left + width] = 20
        with suppress(errors.BlankDrawing):
            assert prepare(encode(Image.fromarray(levels))).shape == (28, 28)


def test_thinning_keeps_the_hole_of_an_eight_and_breaks_no_line():
    array = prepared(8, brush=36)
    assert array[:, 13:15].min(axis=1)[7:20].max() > 0.5
    mixed = draw(1, brush=40)
    mixed.paste(255, (0, 130, 137, 170))
    mixed.paste(255, (143, 130, 280, 170))  # a neck of 6 pixels between thick ends
    rows = prepare(encode(mixed)).max(axis=1)
    inked = np.flatnonzero(rows > 0.2)
    assert len(inked) == inked[-1] - inked[0] + 1


def test_cropped_to_the_ink(plain):
    image = draw(5)
    box = image.point([255] * 250 + [0] * 6).getbbox()
    assert difference(prepare(encode(image.crop(box))), plain[5]) < SIMILAR


def test_a_one_stays_slender():
    array = prepared(1)
    rows, columns = np.flatnonzero(array.max(axis=1) > 0.5), np.flatnonzero(array.max(axis=0) > 0.5)
    assert len(rows) in (19, 20)
    assert len(columns) in (2, 3, 4)


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("centre", [(140, 140), (80, 180)], ids=str)
def test_box_and_centre_are_as_in_mnist(digit, centre):
    array = prepared(digit, height=150, centre=centre)
    assert all(abs(mass - 14) < 0.75 for mass in centre_of_mass(array))
    rows, columns = np.flatnonzero(array.max(axis=1) > 0.3), np.flatnonzero(array.max(axis=0) > 0.3)
    assert max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1 in (19, 20, 21)


# -- what is ink and what is not ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("x", "y"), [(12, 12), (265, 20), (20, 262), (262, 262)])
def test_a_stray_dot_is_left_out(x, y, plain):
    assert difference(prepare(encode(dot(draw(5), x, y, 6))), plain[5]) < ALIKE


def test_the_bar_of_a_five_is_kept():
    body, bar = drawings.STROKES[5]
    array = prepared(5, strokes=[body[1:], [(x, y - 0.02) for x, y in bar]])
    assert difference(array, prepared(5, strokes=[body[1:]])) > 2 * ALIKE
    assert array[4:8, 10:20].sum() > 10


def noisy(spread: float) -> Image.Image:
    levels = np.random.default_rng(3).normal(200, spread, (280, 280))
    return Image.fromarray(levels.clip(0, 255).astype(np.uint8))


WHITE, SMALL_BLACK = Image.new("L", (280, 280), 255), Image.new("L", (28, 28), 0)
TRANSPARENT = Image.new("RGBA", (280, 280), CLEAR)
BLANK = {
    "white": encode(WHITE),
    "black": encode(Image.new("L", (280, 280), 0)),
    "black, 28x28": encode(SMALL_BLACK),
    "one colour": encode(Image.new("RGB", (280, 280), (40, 90, 200))),
    "transparent": encode(TRANSPARENT),
    "transparent white": encode(Image.new("RGBA", (280, 280), (255, 255, 255, 0))),
    "large": encode(Image.new("L", (4096, 4096), 255)),
    "one pixel": encode(dot(WHITE, 100, 100, 0)),
    "one pixel, 28x28": encode(dot(SMALL_BLACK, 9, 9, 0, 255)),
    "speck": encode(dot(WHITE, 100, 100, 2)),
    "speck on transparent": encode(dot(TRANSPARENT, 90, 90, 1, (0, 0, 0, 255))),
    "noise": encode(noisy(4)),
    "noise in a JPEG": encode(noisy(3), "JPEG", quality=40),
}


@pytest.mark.parametrize("name", BLANK)
def test_a_picture_without_ink_is_blank(name):
    with pytest.raises(errors.BlankDrawing):
        prepare(BLANK[name])


@pytest.mark.parametrize("digit", range(10))
def test_a_photo_in_uneven_light(digit, plain):
    levels = np.asarray(draw(digit, 600, ink=40, paper=225)).astype(np.float32)
    down, across = np.mgrid[0:600, 0:600] / 600
    levels = levels * (1 - 0.45 * down - 0.15 * across) + np.random.default_rng(digit).normal(0, 5, levels.shape)
    photo = Image.fromarray(levels.clip(0, 255).astype(np.uint8))
    assert difference(prepare(encode(photo, "JPEG", quality=70)), plain[digit]) < 0.035


# -- MNIST itself ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mnist() -> np.ndarray:
    return dataset.as_stored(settings.MNIST_DIR, "t10k")[0][:500]


@pytest.mark.parametrize("inverted", [False, True])
def test_mnist_passes_almost_unchanged(mnist, inverted):
    changed = []
    for digit in mnist:
        array = prepare(encode(Image.fromarray(255 - digit if inverted else digit)))
        changed.append(difference(array, digit / 255.0))
    assert np.mean(changed) < 0.002
    assert np.mean(np.array(changed) > ALIKE) < 0.02


@pytest.mark.parametrize(("faint", "size"), [(150, 8), (165, 6), (185, 4)])
def test_a_dark_dot_in_a_faint_digit_is_not_scaled_to_a_digits_size(faint, size):
    """The picture would be enlarged with it, to thousands of pixels a side."""
    picture = draw(5, ink=faint)
    picture.paste(0, (138, 138, 138 + size, 138 + size))
    assert least_cpu_seconds(lambda: prepare(encode(picture)), 0.5) < 0.5


def test_the_preview_is_what_the_network_saw(plain):
    png = encode_png(plain[5])
    assert png.startswith(b"\x89PNG")
    with Image.open(BytesIO(png)) as preview:
        assert np.abs(np.asarray(preview) / 255 - plain[5]).max() < 0.003
    assert difference(prepare(png), plain[5]) < ALIKE
