"""What the service makes of a picture, seen from outside: bytes in, the 28x28 array or a named error out."""

import contextlib
import gzip
import struct
import time
import tracemalloc
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recognition import errors as errors
from recognition.imaging import decode_data_url, encode_png, prepare
from recognition.imaging.preprocessing import centre_of_mass
from tests.support import drawings
from tests.support.drawings import dot, draw, encode
from tests.support.fives import BAD_CRC, BOMB, JPEG, PNG, SAME, WEBP

ALIKE = 0.02  # mean absolute difference of two arrays that show the same digit; other digits differ by 0.1 and more

CLEAR = (0, 0, 0, 0)


def difference(one, other) -> float:
    return float(np.abs(one - other).mean())


@pytest.fixture(scope="module")
def plain() -> dict[int, np.ndarray]:
    """Every digit as a plain black-on-white drawing gives it."""
    return {digit: prepare(encode(draw(digit))) for digit in range(10)}


def test_answers_a_float_array_of_ink_on_nothing(plain):
    for array in plain.values():
        assert array.shape == (28, 28)
        assert array.dtype == np.float32
        assert array.min() == 0.0
        assert 0.9 < array.max() <= 1.0


def test_digits_stay_apart(plain):
    gaps = [difference(plain[a], plain[b]) for a in range(10) for b in range(a)]
    assert min(gaps) > 2 * ALIKE


# -- data URLs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("head", ["data:image/png;base64,", "DATA:image/jpeg;BASE64,", "data:;base64,"])
def test_data_url(head):
    assert decode_data_url(f"  {head}aGVsbG8=\n") == b"hello"


BAD_URLS = {
    errors.InvalidDataURL: [
        *("", "data:image/png;base64", "data:,", "data:image/png,abc", "http://example.org/,a", "iVBORw0KGgo="),
    ],
    errors.InvalidBase64: [f"data:image/png;base64,{text}" for text in ("!!!!", "aGVsbG8", "aGVs\x00bG8=", "äöüß")],
    errors.EmptyImage: ["data:image/png;base64,", "data:image/png;base64,  "],
}


@pytest.mark.parametrize(("error", "text"), [(error, text) for error, texts in BAD_URLS.items() for text in texts])
def test_bad_data_url(error, text):
    with pytest.raises(error):
        decode_data_url(text)


def test_an_error_has_a_code_and_a_sentence():
    error = errors.BlankDrawing()
    assert (error.code, str(error)) == ("blank_drawing", error.message)
    assert str(errors.ModelRejected("torn")) == errors.ModelRejected("torn").message == "torn"


# -- files that are not good pictures ----------------------------------------------------------------------------


BAD_FILES = {
    errors.EmptyImage: {"empty": b""},
    errors.UnsupportedImage: {
        "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        **{kind: encode(draw(5), kind) for kind in ("GIF", "TIFF", "BMP", "PDF")},
        "PSD": b"8BPS\x00\x01" + bytes(100),
        "text": b"seven",
    },
    errors.CorruptImage: {
        **{f"PNG cut at {n}": PNG[:n] for n in (4, 8, 20, 33, 60, len(PNG) // 2)},
        **{f"JPEG cut at {n}": JPEG[:n] for n in (2, 3, 20, 200, len(JPEG) // 2)},
        **{f"WebP cut at {n}": WEBP[:n] for n in (12, 16, 20, 30, len(WEBP) // 2)},
        "wrong CRC": BAD_CRC,
        "too little data": drawings.png_header(280, 280),
    },
    errors.ImageTooLarge: {
        "13300x13300 RGBA": drawings.png_header(13300, 13300),
        "30000x30000 1-bit": drawings.png_header(30000, 30000, 1, 0),
        "4097 wide": drawings.png_header(4097, 100),
        **{f"{kind} of 5000": encode(Image.new("L", (5000, 16)), kind) for kind in ("JPEG", "WEBP")},
    },
    errors.ImageTooSmall: {
        "0x0": drawings.png_header(0, 0),
        **{f"{w}x{h}": encode(Image.new("L", (w, h))) for w, h in ((1, 1024), (7, 8))},
        **{f"{kind} of 5": encode(Image.new("L", (5, 16)), kind) for kind in ("JPEG", "WEBP")},
    },
}


@pytest.mark.parametrize(
    ("error", "data"),
    [pytest.param(error, data, id=name) for error, files in BAD_FILES.items() for name, data in files.items()],
)
def test_a_bad_file_is_refused_with_its_error(error, data):
    with pytest.raises(error):
        prepare(data)


@pytest.mark.parametrize("header", [(13300, 13300, 8, 6), (30000, 30000, 1, 0)], ids=["RGBA", "1-bit"])
def test_a_bomb_is_refused_without_unfolding_it(header):
    data = drawings.png_header(*header)
    spent = []
    tracemalloc.start()
    for _ in range(5):
        started = time.process_time()
        with pytest.raises(errors.ImageTooLarge):
            prepare(data)
        spent.append(time.process_time() - started)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert min(spent) < 0.05
    assert peak < 10_000_000


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(drawings.with_chunk(PNG, b"zTXt", b"Comment\0\0" + BOMB), id="zTXt bomb"),
        pytest.param(drawings.with_chunk(PNG, b"iCCP", b"icc\0\0" + BOMB), id="iCCP bomb"),
        pytest.param(drawings.with_chunk(PNG, b"acTL", struct.pack(">II", 1000, 0)), id="1000 frames promised"),
        pytest.param(
            encode(draw(5), save_all=True, append_images=[draw(2, ink=n % 200) for n in range(20)]), id="animation"
        ),
    ],
)
def test_only_the_first_picture_is_unpacked(data, plain):
    tracemalloc.start()
    array = prepare(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000
    assert difference(array, plain[5]) < ALIKE


def test_mutated_files_raise_nothing_else():
    rng = np.random.default_rng(7)
    for _ in range(400):
        data = bytearray((PNG, JPEG, WEBP)[rng.integers(3)])
        for _ in range(rng.integers(1, 6)):
            data[rng.integers(min(len(data), 400))] = rng.integers(256)
        with contextlib.suppress(errors.RecognitionError):
            assert prepare(bytes(data)).shape == (28, 28)


# -- one digit, many pictures of it ------------------------------------------------------------------------------


@pytest.mark.parametrize("data", SAME.values(), ids=SAME.keys())
def test_same_digit_in_every_mode_and_polarity(data, plain):
    assert difference(prepare(data), plain[5]) < ALIKE


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("size", [28, 64, 150, 600, 1500, (300, 500), (900, 200)], ids=str)
def test_size_of_the_canvas_does_not_matter(digit, size, plain):
    bound = 0.045 if size == 28 else ALIKE * 1.5
    assert difference(prepare(encode(draw(digit, size))), plain[digit]) < bound


def test_the_largest_picture(plain):
    assert difference(prepare(encode(draw(5, 4096))), plain[5]) < ALIKE


def test_a_small_digit_on_a_very_large_picture(plain):
    small = draw(5, 3000, height=110, brush=15, centre=(700, 2200))
    assert difference(prepare(encode(small)), plain[5]) < 0.04


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("centre", [(90, 90), (190, 100), (140, 200)], ids=str)
@pytest.mark.parametrize("height", [60, 120])
def test_position_and_height_do_not_matter(digit, centre, height, plain):
    drawn = draw(digit, height=height, brush=height * 0.14, centre=centre)
    assert difference(prepare(encode(drawn)), plain[digit]) < ALIKE * 1.5


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("brush", [2, 6, 12, 40])
def test_the_pen_hardly_matters(digit, brush, plain):
    array = prepare(encode(draw(digit, brush=brush)))
    assert difference(array, plain[digit]) < 0.05
    assert 0.65 < array.sum() / plain[digit].sum() < 1.35


def test_thinning_keeps_the_hole_of_an_eight_and_breaks_no_line():
    array = prepare(encode(draw(8, brush=36)))
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
    assert difference(prepare(encode(image.crop(box))), plain[5]) < ALIKE * 1.5


def test_a_one_stays_slender():
    array = prepare(encode(draw(1)))
    rows, columns = np.flatnonzero(array.max(axis=1) > 0.5), np.flatnonzero(array.max(axis=0) > 0.5)
    assert len(rows) in (19, 20)
    assert len(columns) in (2, 3, 4)


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("centre", [(140, 140), (80, 180)], ids=str)
def test_box_and_centre_are_as_in_mnist(digit, centre):
    array = prepare(encode(draw(digit, height=150, centre=centre)))
    assert all(abs(mass - 14) < 0.75 for mass in centre_of_mass(array))
    rows, columns = np.flatnonzero(array.max(axis=1) > 0.3), np.flatnonzero(array.max(axis=0) > 0.3)
    assert max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1 in (19, 20, 21)


# -- what is ink and what is not ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("x", "y"), [(12, 12), (265, 20), (20, 262), (262, 262)])
def test_a_stray_dot_is_left_out(x, y, plain):
    assert difference(prepare(encode(dot(draw(5), x, y, 6))), plain[5]) < ALIKE


def test_the_bar_of_a_five_is_kept():
    body, bar = drawings.STROKES[5]
    lifted = draw(5, strokes=[body[1:], [(x, y - 0.02) for x, y in bar]])
    array = prepare(encode(lifted))
    assert difference(array, prepare(encode(draw(5, strokes=[body[1:]])))) > 2 * ALIKE
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
    path = next(Path(__file__).resolve().parents[2].glob("**/data/mnist/t10k-images*.gz"))
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=16).reshape(-1, 28, 28)[:500]


@pytest.mark.parametrize("inverted", [False, True])
def test_mnist_passes_almost_unchanged(mnist, inverted):
    changed = []
    for digit in mnist:
        array = prepare(encode(Image.fromarray(255 - digit if inverted else digit)))
        changed.append(difference(array, digit / 255.0))
    assert np.mean(changed) < 0.002
    assert np.mean(np.array(changed) > ALIKE) < 0.02


def test_the_preview_is_what_the_network_saw(plain):
    png = encode_png(plain[5])
    assert png.startswith(b"\x89PNG")
    with Image.open(BytesIO(png)) as preview:
        assert np.abs(np.asarray(preview) / 255 - plain[5]).max() < 0.003
    assert difference(prepare(png), plain[5]) < ALIKE
