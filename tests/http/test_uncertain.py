"""Why an answer is uncertain, and what `?preview=1` shows of the picture it is for."""

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image, ImageDraw

from recognition import registry
from recognition.api.parsing.data_urls import decode_data_url
from recognition.prediction import classifier
from tests.support.constant_models import constant_probabilities
from tests.support.drawings import data_url, dot, draw, encode


@pytest.fixture
def client(shipped: None) -> Client:
    return Client(HTTP_HOST="localhost")


def ask(client: Client, picture: Image.Image, query: str = "", image_format: str = "PNG", **options: Any) -> Any:
    content_type = f"image/{image_format.lower()}"
    response = client.post(f"/api/drawing/{query}", encode(picture, image_format, **options), content_type=content_type)
    assert response.status_code == 200, response.content
    answer = response.json()
    assert answer["uncertain"] is (answer["uncertain_reason"] is not None)
    return answer


SURE = [0.0] * 7 + [0.99, 0.01, 0.0]
TWO_COMPETE = [0.0] * 7 + [0.55, 0.0, 0.45]
SPREAD = [0.07] * 9 + [0.37]


@pytest.mark.parametrize(
    ("probabilities", "uncertain_below", "reason"),
    [
        (SURE, 0.7, None),
        (TWO_COMPETE, 0.7, "low_confidence"),
        (SPREAD, 0.7, "not_a_digit"),
        (SPREAD, None, None),  # a model without a threshold
    ],
)
def test_an_unsure_network_says_whether_two_digits_compete_or_none_fits(
    client: Client, probabilities: Sequence[float], uncertain_below: float | None, reason: str | None
) -> None:
    content = constant_probabilities(probabilities)
    registry.activate(registry.publish(content, test_accuracy=0.1, uncertain_below=uncertain_below))
    classifier.forget()
    assert ask(client, draw(7))["uncertain_reason"] == reason
    batch = {"drawings": [data_url(encode(draw(7))), "x"]}
    one, _ = client.post("/api/drawings/", batch, content_type="application/json").json()["results"]
    assert one["uncertain_reason"] == reason


def test_a_digit_is_certain_and_a_scribble_is_no_digit(client: Client) -> None:
    scribble = [[(0, 0), (1, 1), (0, 1), (1, 0), (0.1, 0.5), (1, 0.4), (0.4, 1)]]
    assert ask(client, draw(3))["uncertain_reason"] is None
    assert ask(client, draw(strokes=scribble))["uncertain_reason"] == "not_a_digit"


BLANK = Image.new("L", (280, 280), 255)


@pytest.mark.parametrize(
    ("picture", "is_dot"),
    [
        (dot(BLANK, 140, 140, 10), True),
        (dot(BLANK, 120, 150, 90), True),
        (dot(BLANK.crop((0, 0, 100, 100)), 50, 50, 40), True),  # as the page sends a tap
        (draw(strokes=[[(0.5, 0.5), (0.55, 0.5)]], brush=40), True),  # the finger slipped a little
        (draw(strokes=[[(0.5, 0.4), (0.5, 0.6)]], brush=25), False),  # a short 1
    ],
)
def test_a_dot_has_no_shape_whatever_the_network_says(client: Client, picture: Image.Image, is_dot: bool) -> None:
    registry.activate(registry.publish(constant_probabilities(SURE), test_accuracy=0.1))
    classifier.forget()
    reason = "not_a_digit" if is_dot else None
    for image in (picture, with_grain(picture), picture.point(lambda level: 255 - level)):
        for path in ("/api/drawing/", "/api/number/"):
            answer = client.post(path, encode(image), content_type="image/png").json()
            assert answer["uncertain_reason"] == reason, path


def test_dots_in_a_line_are_no_digits(client: Client) -> None:
    page = dot(dot(dot(Image.new("L", (480, 280), 255), 100, 140, 12), 220, 140, 12), 340, 140, 12)
    answer = client.post("/api/number/", encode(page), content_type="image/png").json()
    assert [digit["uncertain_reason"] for digit in answer["digits"]] == ["not_a_digit"] * 3


def two_digits() -> Image.Image:
    page = Image.new("L", (400, 280), 255)
    page.paste(draw(4, height=130, brush=14).crop((40, 40, 240, 240)), (0, 40))
    page.paste(draw(2, height=130, brush=14).crop((40, 40, 240, 240)), (200, 40))
    return page


def cut_through() -> Image.Image:
    """A photo of an 8 of which only the lower third is in the picture."""
    return with_grain(draw(8, height=200, brush=20).crop((0, 165, 280, 280)))


def crossed_out() -> Image.Image:
    """A digit that three lines of a form run through: enough is left to read, not to be sure."""
    page = draw(8, height=150, brush=8)
    for y in (80, 140, 175):
        ImageDraw.Draw(page).line((0, y, 279, y), fill=0, width=14)
    return with_grain(page)


def with_grain(image: Image.Image) -> Image.Image:
    grain = np.random.default_rng(1).normal(0, 4, (image.height, image.width))
    return Image.fromarray(np.clip(np.asarray(image, int) * 0.9 + grain, 0, 255).astype(np.uint8))


@pytest.mark.parametrize(
    ("make", "reason"), [(two_digits, "several_digits"), (cut_through, "cut_off"), (crossed_out, "surroundings")]
)
def test_what_is_beside_around_or_outside_makes_an_answer_uncertain(
    client: Client, make: Callable[[], Image.Image], reason: str
) -> None:
    assert ask(client, make())["uncertain_reason"] == reason


def mask_of(answer: Any) -> Image.Image:
    mask = Image.open(BytesIO(decode_data_url(answer["segmentation"]["mask"])))
    assert mask.mode == "L"
    assert max(mask.size) <= 200
    return mask


def test_the_segmentation_marks_the_digit_and_not_the_stray_mark_beside_it(client: Client) -> None:
    picture = dot(draw(7, size=(400, 280), centre=(120, 140), height=160), 330, 60, 5)
    answer = ask(client, picture, "?preview=1")
    left, top, width, height = answer["segmentation"]["box"]
    inked = np.asarray(picture) < 128
    inked[:, 300:] = False
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    expected = [columns[0], rows[0], np.ptp(columns) + 1, np.ptp(rows) + 1]
    assert np.abs(np.array([left, top, width, height]) - expected).max() <= 6
    mask = np.asarray(mask_of(answer).resize(picture.size)) > 128
    agreement = (mask & inked).sum() / (mask | inked).sum()
    assert agreement > 0.75
    assert not mask[:, 300:].any()


def test_the_segmentation_of_a_turned_photo_is_in_the_upright_picture_of_its_own_size(client: Client) -> None:
    """Its 2400x1600 pixels are decoded reduced, and EXIF turns them to 1600x2400."""
    upright = draw(7, size=(1600, 2400), centre=(500, 700), height=600, brush=60)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its left side: turn by 90 degrees clockwise
    stored = upright.transpose(Image.Transpose.ROTATE_90)
    answer = ask(client, stored, "?preview=1", "JPEG", exif=exif)
    assert answer["prediction"] == 7
    left, top, width, height = answer["segmentation"]["box"]
    assert abs(left + width / 2 - 500) < 40
    assert abs(top + height / 2 - 700) < 40
    assert 560 < height < 740
    mask = mask_of(answer)
    assert mask.height == pytest.approx(1.5 * mask.width, abs=2)
    whole = mask.resize((16, 24), Image.Resampling.BOX)
    assert whole.crop((3, 4, 8, 11)).getbbox()
    assert not whole.crop((9, 0, 16, 24)).getbbox()


def test_without_a_preview_there_is_no_segmentation(client: Client) -> None:
    assert not {"preview", "segmentation"} & set(ask(client, draw(7)))
