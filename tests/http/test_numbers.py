"""POST /api/number/, and batches of numbers: what only numbers have. Bad bodies are in test_bad_input.py."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.test.client import encode_multipart
from PIL import Image, ImageDraw
from prometheus_client import REGISTRY

from recognition import statistics
from recognition.api.answers import predictors
from recognition.api.parsing.data_urls import decode_data_url
from recognition.errors import MAX_DIGITS
from recognition.imaging import EncodedImage
from tests.support.drawings import data_url, dot, draw, draw_number, encode
from tests.support.refusals import JSON, assert_refused
from tests.support.subprocesses import run_python

NUMBER, DRAWING, DRAWINGS = "/api/number/", "/api/drawing/", "/api/drawings/"
PICTURE = draw_number("98105")
PNG = encode(PICTURE)
TWENTY_ONE = draw_number("2" * (MAX_DIGITS + 1))


@pytest.fixture
def client(shipped: None) -> Client:
    return Client(HTTP_HOST="localhost")


def ask(client: Client, body: Any, content_type: str = "image/png", query: str = "") -> Any:
    response = client.post(NUMBER + query, body, content_type=content_type)
    assert response.status_code == 200, response.content
    return response.json()


# --- The answer ---


def test_the_answer_is_the_number_with_each_of_its_digits(client: Client) -> None:
    answer = ask(client, PNG)
    assert set(answer) == {"number", "confidence", "uncertain", "uncertain_reason", "model", "digits"}
    assert (answer["number"], answer["uncertain"], answer["uncertain_reason"]) == ("98105", False, None)
    assert [digit["prediction"] for digit in answer["digits"]] == [9, 8, 1, 0, 5]
    for digit in answer["digits"]:
        keys = {"prediction", "confidence", "uncertain", "uncertain_reason", "probabilities", "box"}
        assert set(digit) == keys, "the previews are asked for"
        assert digit["confidence"] == pytest.approx(100 * max(digit["probabilities"]), abs=0.01)
        assert sum(digit["probabilities"]) == pytest.approx(1)
    assert 50 < answer["confidence"] <= min(digit["confidence"] for digit in answer["digits"]) + 0.01


FORM = {"drawing": BytesIO(PNG)}
FORM["drawing"].name = "number.png"
BODIES: dict[str, tuple[str, Any]] = {
    "JSON": (JSON, {"drawing": data_url(PNG)}),
    "a file": ("multipart/form-data; boundary=x", encode_multipart("x", FORM)),
    "JPEG": ("image/jpeg", encode(PICTURE, "JPEG", quality=80)),
    "light on dark": ("image/png", encode(draw_number("98105", ink=255, paper=0))),
    "on transparent": (
        "image/png",
        encode(draw_number("98105", mode="RGBA", ink=(0, 0, 0, 255), paper=(0, 0, 0, 0))),
    ),
}


def test_every_body_of_a_drawing_holds_a_number_too(client: Client) -> None:
    numbers = {name: ask(client, body, kind)["number"] for name, (kind, body) in BODIES.items()}
    assert numbers == dict.fromkeys(BODIES, "98105")


SCRIBBLE = draw(strokes=[[(0, 0), (1, 1), (0, 1), (1, 0), (0.1, 0.5), (1, 0.4), (0.4, 1)]])
ALONE = {
    "a seven": {"drawing": data_url(encode(draw(7)))},
    "a small one beside a speck": {"drawing": data_url(encode(dot(draw(3, (400, 280), height=60), 380, 20, 2)))},
    "a scribble": {"drawing": data_url(encode(SCRIBBLE))},
    "pixels": {"pixels": np.asarray(draw(4, 28)).tolist()},
}


@pytest.mark.parametrize("body", ALONE.values(), ids=ALONE.keys())
def test_a_number_of_one_digit_is_answered_as_the_digit(client: Client, body: dict[str, Any]) -> None:
    number = ask(client, body, JSON, "?preview=1")
    digit = client.post(f"{DRAWING}?preview=1", body, content_type=JSON).json()
    [only] = number.pop("digits")
    assert number.pop("number") == str(digit["prediction"])
    assert number == {name: digit[name] for name in number}
    assert only.pop("box") == digit["segmentation"]["box"]
    assert only.pop("probabilities") == pytest.approx(digit.pop("probabilities"), abs=1e-6)
    assert only | {"model": digit["model"]} == digit


# --- Boxes and previews ---


def assert_boxes(answer: Any, expected: list[tuple[float, float, float]], tolerance: float) -> None:
    """Check each box's middle and height, in pixels."""
    found = [(left + w / 2, top + h / 2, h) for left, top, w, h in (digit["box"] for digit in answer["digits"])]
    assert np.abs(np.array(found) - np.array(expected)).max() <= tolerance, found


def test_boxes_are_around_the_digits_from_left_to_right(client: Client) -> None:
    answer = ask(client, encode(draw_number("40285", 100)))
    assert answer["number"] == "40285"
    assert_boxes(answer, [(80 + 95 * place, 80, 110) for place in range(5)], 14)


@pytest.mark.parametrize(("image_format", "height"), [("PNG", 90), ("JPEG", 1000)], ids=["as it is", "decoded reduced"])
def test_boxes_of_a_turned_photo_are_in_the_upright_picture_of_its_own_size(
    client: Client, image_format: str, height: int
) -> None:
    upright = draw_number("42", height)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its left side: turn by 90 degrees clockwise
    stored = encode(upright.transpose(Image.Transpose.ROTATE_90), image_format, exif=exif)
    is_reduced = EncodedImage(stored).decode().shape[1] < upright.width
    assert is_reduced == (image_format == "JPEG")
    answer = ask(client, stored, f"image/{image_format.lower()}")
    assert answer["number"] == "42"
    assert_boxes(
        answer, [(0.8 * height, 0.8 * height, 1.1 * height), (1.75 * height, 0.8 * height, 1.1 * height)], 0.13 * height
    )


def test_each_digit_has_a_preview_and_a_mask_of_its_own(client: Client) -> None:
    picture = draw_number("98105", 35)  # its masks are not reduced
    answer = ask(client, encode(picture), query="?preview=1")
    previews = [Image.open(BytesIO(decode_data_url(digit["preview"]))) for digit in answer["digits"]]
    assert {preview.size for preview in previews} == {(28, 28)}
    assert len({preview.tobytes() for preview in previews}) == 5
    masks = []
    for digit in answer["digits"]:
        assert digit["segmentation"]["box"] == digit["box"]
        mask = Image.open(BytesIO(decode_data_url(digit["segmentation"]["mask"])))
        assert mask.size == picture.size
        masks.append(np.asarray(mask) > 128)
        left, top, width, height = digit["box"]
        assert masks[-1][top : top + height, left : left + width].sum() == masks[-1].sum() > 0
    whole = np.any(masks, axis=0)
    inked = np.asarray(picture) < 128
    assert (whole & inked).sum() / (whole | inked).sum() > 0.7
    assert np.sum(masks, axis=0).max() == 1, "no ink belongs to two digits"


# --- Refusals ---


def page_of_text() -> Image.Image:
    page = Image.new("L", (900, 1200), 255)
    for line in range(40):
        ImageDraw.Draw(page).text(
            (20, 10 + 29 * line), "the quick brown fox jumps over 13 lazy dogs " * 2, 0, font_size=20
        )
    return page


@pytest.mark.parametrize("picture", [TWENTY_ONE, page_of_text()], ids=["21 digits", "a page of text"])
def test_more_than_twenty_digits_are_refused(client: Client, picture: Image.Image) -> None:
    refusal = assert_refused(client.post(NUMBER, encode(picture), content_type="image/png"), 422, "too_many_digits")
    assert str(MAX_DIGITS) in refusal["message"]


def test_digits_that_are_counted_only_when_they_are_read_are_refused_too(client: Client, monkeypatch) -> None:
    monkeypatch.setattr(predictors, "MAX_DIGITS", 3)
    refusal = assert_refused(
        client.post(NUMBER, encode(draw_number("98105")), content_type="image/png"), 422, "too_many_digits"
    )
    urls = [data_url(encode(draw_number(number))) for number in ("98105", "42")]
    body = {"drawings": urls, "as": "number"}
    results = client.post("/api/drawings/", body, content_type="application/json").json()["results"]
    assert (results[0]["code"], results[1]["number"]) == (refusal["code"], "42")


def test_a_batch_stops_cutting_numbers_once_it_has_enough(client: Client, monkeypatch) -> None:
    monkeypatch.setattr(predictors, "MAX_BATCH_INPUTS", 1)
    urls = [data_url(encode(draw_number(number))) for number in ("98105", "42")]
    body = {"drawings": urls, "as": "number"}
    results = client.post("/api/drawings/", body, content_type="application/json").json()["results"]
    assert (results[0]["number"], results[1]["code"]) == ("98105", "too_many_digits")
    assert "in total" in results[1]["message"]


def test_a_large_picture_full_of_blobs_costs_little_more_than_its_decoding(tmp_path: Path) -> None:
    """About 40 ms of CPU and, beside one digit in a picture of that size, a few megabytes.

    The least time of three, because other processes evict this one's caches.
    """
    code = """
from resource import RUSAGE_SELF, getrusage
from recognition.imaging import EncodedImage
from tests.support.bombs import blobs
from tests.support.cpu_time import cpu_seconds
from tests.support.drawings import draw, encode
def post(path, picture):
    answer = Client(HTTP_HOST="localhost").post(path, picture, content_type="image/png")
    return answer.status_code, getrusage(RUSAGE_SELF).ru_maxrss // 1024
full = encode(blobs(4096))
answers = [post("/api/drawing/", encode(draw(7, 4096))), post("/api/number/", full)]
def cost():
    return cpu_seconds(lambda: post("/api/number/", full)) - cpu_seconds(EncodedImage(full).decode)
costs = [cost() for _ in range(3)]
print(json.dumps([*answers, min(costs)]))
"""
    (_, one_digit), (status, many), seconds = run_python(code, tmp_path)
    assert status == 422
    assert seconds < 0.15
    assert many - one_digit < 40  # megabytes


# --- Batches ---


def test_a_batch_of_numbers_has_a_number_or_an_error_for_each(client: Client) -> None:
    blank = data_url(encode(Image.new("L", (100, 100), 255)))
    numbers = ["7", "42", "98105"] * 12  # more than are predicted together
    urls = {number: data_url(encode(draw_number(number))) for number in numbers}
    batch = [blank, data_url(encode(TWENTY_ONE)), None, *(urls[number] for number in numbers)]
    answer = client.post(f"{DRAWINGS}?preview=1", {"drawings": batch, "as": "number"}, content_type=JSON).json()
    results = answer["results"]
    assert [one["code"] for one in results[:3]] == ["blank_drawing", "too_many_digits", "invalid_type"]
    assert [one["number"] for one in results[3:]] == numbers
    alone = ask(client, {"drawing": urls["42"]}, JSON, "?preview=1")
    for digit in alone["digits"]:
        digit["probabilities"] = pytest.approx(digit["probabilities"], abs=1e-6)
    assert results[4] == alone
    assert answer["model"] == alone["model"]


def test_a_batch_is_of_digits_unless_it_says_otherwise(client: Client) -> None:
    body = {"drawings": [data_url(encode(draw(7)))]}
    for more in ({}, {"as": "digit"}):
        [result] = client.post(DRAWINGS, body | more, content_type=JSON).json()["results"]
        assert result["prediction"] == 7
    for wrong in ("numbers", "", None, 1, ["number"], {}):
        refusal = client.post(DRAWINGS, body | {"as": wrong}, content_type=JSON)
        assert assert_refused(refusal, 400, "invalid_parameter")["field"] == "as"


# --- What is counted ---


@pytest.fixture
def counts() -> Iterator[statistics.Counts]:
    statistics._counts.take()
    yield statistics._counts
    statistics._counts.take()


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def metrics_of(digits: str) -> dict[str, float]:
    predictions = {f"certain {d}": sample("digits_predictions_total", digit=d, uncertain="false") for d in digits}
    stages = {stage: sample("digits_drawing_stage_seconds_count", stage=stage) for stage in ("decode", "network")}
    length = {what: sample(f"digits_number_length_{what}", uncertain="false") for what in ("count", "sum")}
    return predictions | stages | length | {"confidence": sample("digits_drawing_confidence_ratio_count")}


def test_a_number_is_one_drawing_and_each_of_its_digits_is_counted(client: Client, counts: statistics.Counts) -> None:
    before = metrics_of("7042")
    model = ask(client, encode(draw_number("7042")))["model"]
    grown = {name: value - before[name] for name, value in metrics_of("7042").items()}
    expected = {"decode": 1, "network": 1, "count": 1, "sum": 4, "confidence": 4}
    assert grown == expected | {f"certain {digit}": 1 for digit in "7042"}
    rows = {(key.model, key.digit): count[:2] for key, count in counts.take().items()}
    assert rows == {(model, digit): [1, 0] for digit in (7, 0, 4, 2)}
