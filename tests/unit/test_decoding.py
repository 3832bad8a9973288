"""What the service makes of a file: a picture, or a named error."""

import struct
import time
import tracemalloc
from base64 import urlsafe_b64encode
from textwrap import wrap

import numpy as np
import pytest
from PIL import Image

from recognition import errors
from recognition.api.parsing.data_urls import decode_data_url
from recognition.imaging import prepare
from tests.support import bombs, drawings
from tests.support.drawings import draw, encode, png_header
from tests.support.fives import BAD_CRC, BOMB, JPEG, PNG, SAME, WEBP, deep


@pytest.mark.parametrize("body", ["aGVsbG8=", "aGVsbG8", "aGVs\nbG8=", "aGVs bG8=\r\n"])
@pytest.mark.parametrize(
    "head", ["data:image/png;base64,", "DATA:image/jpeg;BASE64,", "data:;base64,", "image/png; base64,", "base64,"]
)
def test_data_url(head, body):
    assert decode_data_url(f"  {head}{body}\n") == b"hello"


def test_base64_without_a_data_url():
    for data in (PNG, bytes(range(256)), b"\xff" * 100):
        text = urlsafe_b64encode(data).decode()
        assert decode_data_url(text) == decode_data_url("\n".join(wrap(text.rstrip("="), 76))) == data


BAD_URLS = {
    errors.InvalidDataURL: [
        *("", "data:image/png;base64", "data:,", "data:image/png,abc", "http://example.org/,a", "iVBORw0KGgo="),
        *("hello, world", "!!!!", "https://example.org/pictures/a_seven_on_paper.png"),
    ],
    errors.InvalidBase64: [
        f"data:image/png;base64,{text}" for text in ("!!!!", "aGVsb", "aGVs\x00bG8=", "a=GVsbG8", "äöüß")
    ],
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


NEW = {kind: SAME[kind] for kind in ("HEIF", "AVIF", "GIF", "BMP", "TIFF")}
COARSE = np.random.default_rng(2).normal(30000, 100, (35, 35)).astype(np.uint16)
BAD_FILES = {
    errors.EmptyImage: {"empty": b""},
    errors.UnsupportedImage: {
        "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        **{kind: encode(draw(5), kind) for kind in ("PDF", "ICO", "JPEG2000")},
        "PSD": b"8BPS\x00\x01" + bytes(100),
        "MP4": b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + bytes(100),
        "RLE BMP": bombs.run_length_bmp(64, 64),
        "floating-point TIFF": encode(draw(5).convert("F"), "TIFF"),
        "text": b"seven",
    },
    errors.CorruptImage: {
        **{f"PNG cut at {n}": PNG[:n] for n in (4, 8, 20, 33, 60, len(PNG) // 2)},
        **{f"JPEG cut at {n}": JPEG[:n] for n in (2, 3, 20, 200, len(JPEG) // 2)},
        **{f"WebP cut at {n}": WEBP[:n] for n in (12, 16, 20, 30, len(WEBP) // 2)},
        **{
            f"{kind} cut at {n}": NEW[kind][:n]
            for kind in NEW
            for n in (12, 20, 100, len(NEW[kind]) // 2, len(NEW[kind]) - 30)
        },
        "BMP whose size lies": NEW["BMP"][:18] + struct.pack("<II", 4000, 4000) + NEW["BMP"][26:],
        "wrong CRC": BAD_CRC,
        "too little data": png_header(280, 280),
    },
    errors.BlankDrawing: {
        **{f"16-bit paper, {n} bands": deep(n, 0, 30000, 30, alpha=n in (2, 4), digit=None) for n in (1, 2, 3, 4)},
        "16-bit paper with coarse noise": encode(Image.fromarray(COARSE.repeat(8, axis=0).repeat(8, axis=1))),
        "16-bit paper in uneven light": encode(
            Image.fromarray(np.linspace(30000, 33000, 280 * 280).reshape(280, 280).astype(np.uint16))
        ),
        "an animation of empty frames": encode(
            Image.new("L", (64, 64)), "GIF", save_all=True, append_images=[Image.new("L", (64, 64), 9)]
        ),
    },
    errors.ImageTooLarge: {
        "13300x13300 RGBA": png_header(13300, 13300),
        "30000x30000 1-bit": png_header(30000, 30000, 1, 0),
        "4097 wide": png_header(4097, 100),
        **{f"{kind} of 5000": encode(Image.new("L", (5000, 16)), kind) for kind in ("JPEG", "WEBP")},
        **{f"{kind} of 30000x30000": bombs.lying(SAME[kind], kind, 30000, 30000) for kind in NEW},
        "progressive JPEG of 26 megapixels": bombs.many_scans(6500, 4000, 1),
        "baseline JPEG of 51 megapixels": bombs.lying(JPEG, "JPEG", 8500, 6000),
        "HEIC of 48 megapixels": bombs.lying(SAME["HEIF"], "HEIF", 8064, 6048),
        "a long strip": bombs.lying(JPEG, "JPEG", 20000, 100),
    },
    errors.ImageTooSmall: {
        "0x0": png_header(0, 0),
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
    data = png_header(*header)
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
def test_only_the_first_picture_is_unpacked(data):
    tracemalloc.start()
    array = prepare(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000
    assert np.abs(array - prepare(PNG)).mean() < 0.02
