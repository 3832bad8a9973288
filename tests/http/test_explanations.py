"""?explain=7: the ink that matters is found where it lies, a change flips the answer, and others do not wait for it."""

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import redis
from django.conf import settings as django_settings
from django.test import Client
from PIL import Image

from recognition import metrics
from recognition.api.parsing import decode_slots
from recognition.api.parsing.data_urls import decode_data_url
from recognition.api.throttles import PredictThrottle
from recognition.prediction import classifier
from recognition.prediction.explanation import explain
from tests.support.constant_models import publish_constant_model
from tests.support.drawings import draw, encode
from tests.support.refusals import assert_refused
from training.learner.dataset import as_stored

pytestmark = pytest.mark.django_db
CROSSED = [[(0.18, 0.02), (0.82, 0.02), (0.4, 1.0)], [(0.38, 0.5), (0.78, 0.5)]]
MNIST = Path(django_settings.BASE_DIR) / "training/data/mnist"


@pytest.fixture
def client(shipped: None) -> Client:
    return Client(HTTP_HOST="localhost")


def ask(client: Client, picture: bytes, query: str) -> Any:
    response = client.post(f"/api/drawing/{query}", picture, content_type="image/png")
    assert response.status_code == 200, response.content
    return response.json()


def at(explanation: Any, x: float, y: float) -> float:
    """The evidence at a point of the picture, in its pixels."""
    left, top, width, height = explanation["field"]
    return float(explanation["evidence"][int((y - top) / height * 28)][int((x - left) / width * 28)])


def test_the_parts_of_a_digit_speak_for_it_and_against_others(client: Client) -> None:
    """A crossed 7 at the left of a wide picture: strokes by their places there."""
    seven = encode(draw(strokes=CROSSED, size=(420, 280), centre=(110, 140), height=180))
    for_seven = ask(client, seven, "?explain=7")["explanation"]
    assert (for_seven["digit"], for_seven["method"]) == (7, "occlusion")
    stem, empty = (110 - 0.02 * 180, 140 + 0.16 * 180), (for_seven["field"][0] + 1, 250)
    assert at(for_seven, *stem) > 0.5
    assert abs(at(for_seven, *empty)) < abs(at(for_seven, *stem)) / 4, "paper far from the ink"
    four = encode(draw(4, size=(420, 280), centre=(110, 140), height=180))
    against = ask(client, four, "?explain=9")["explanation"]
    gap = (110 - 0.0 * 180, 140 - 0.48 * 180)
    assert at(against, *gap) < -0.1, "with its top closed, the 4 would be a 9"


def test_the_evidence_lies_on_the_ink_of_the_picture(client: Client) -> None:
    for picture in (
        draw(4, size=(420, 280), centre=(110, 140), height=180),
        draw(2, 900, height=300, centre=(200, 700), brush=30),
    ):
        answer = ask(client, encode(picture), "?explain=4&preview=1")
        left, top, side, _ = answer["explanation"]["field"]
        digit = np.asarray(Image.open(io.BytesIO(decode_data_url(answer["preview"]))), np.float32)
        shift = (side / 28 - 1) / 2
        placed = cv2.warpAffine(
            digit, np.array([[side / 28, 0, left + shift], [0, side / 28, top + shift]]), picture.size
        )
        ink, found = 255 - np.asarray(picture, np.float32), placed
        middles = [
            np.average(np.indices(one.shape), axis=(1, 2), weights=np.tile(one, (2, 1, 1))) for one in (ink, found)
        ]
        assert np.abs(middles[0] - middles[1]).max() < 0.2 * side / 28
        assert found[ink > 127].mean() > 200


@pytest.mark.parametrize("digit", range(10))
def test_a_change_that_is_sent_back_gets_the_other_answer(client: Client, digit: int) -> None:
    seven = encode(draw(7))
    before = ask(client, seven, f"?explain={digit}&preview=1")
    change = before["explanation"]["change"]
    if digit in (7, 1, 9):
        assert change is not None
    if change is None:
        return
    picture = decode_data_url(change["picture"])
    after = ask(client, picture, "")["prediction"]
    assert after == change["prediction"]
    assert after == digit if digit != 7 else after != 7
    one, other = (np.asarray(Image.open(io.BytesIO(data))) for data in (decode_data_url(before["preview"]), picture))
    assert change["pixels"] == (one != other).sum() < 120


def test_deleting_the_ink_with_the_most_evidence_matters_more_than_other_ink(client: Client) -> None:
    """The deletion test of Petsiuk, Das, Saenko: RISE (BMVC 2018), with a fifth of the ink of MNIST's test digits."""
    model = classifier.in_service()
    images, _ = as_stored(MNIST, "t10k")
    digits = images[:4000:100].astype(np.float32) / np.float32(255)
    random = np.random.default_rng(1)
    left: dict[str, list[float]] = {"evidence": [], "patches": []}
    for digit, predicted in zip(digits, model.probabilities(digits).argmax(axis=1), strict=True):
        noise = cv2.GaussianBlur(random.random((28, 28)), (0, 0), 1.5)  # deletes connected ink too
        for name, order in (("evidence", explain(model, digit, int(predicted)).evidence), ("patches", noise)):
            pixels = np.argsort(np.where(digit > 0, -order, np.inf), axis=None)
            deleted = digit.copy()
            deleted.flat[pixels[np.cumsum(digit.flat[pixels]) <= digit.sum() / 5]] = 0
            left[name].append(float(model.probabilities([deleted])[0, predicted]))
    assert np.mean(left["evidence"]) < 0.6 * np.mean(left["patches"]), {key: np.mean(one) for key, one in left.items()}


def test_every_model_can_be_explained_even_one_that_never_changes_its_answer(client: Client) -> None:
    three = publish_constant_model(3).pk
    answer = ask(client, encode(draw(7)), f"?explain=7&model={three}")
    assert (answer["prediction"], answer["model"], answer["explanation"]["change"]) == (3, three, None)
    assert not np.any(answer["explanation"]["evidence"])


@pytest.mark.parametrize("value", ["10", "-1", "", "seven", "7.0", "７"])
def test_other_values_are_refused(client: Client, value: str) -> None:
    response = client.post(f"/api/drawing/?explain={value}", encode(draw(7)), content_type="image/png")
    assert_refused(response, 400, "invalid_parameter")
    assert response.json()["field"] == "explain"


def test_numbers_and_batches_are_not_explained(client: Client) -> None:
    for path in ("/api/number/", "/api/drawings/"):
        assert_refused(
            client.post(f"{path}?explain=7", encode(draw(7)), content_type="image/png"), 400, "invalid_parameter"
        )


def test_an_explanation_is_not_counted_as_a_prediction(client: Client) -> None:
    counter = metrics.predictions[7, False]
    before = counter._value.get()
    assert "explanation" not in ask(client, encode(draw(7)), "")
    assert counter._value.get() == before + 1
    ask(client, encode(draw(7)), "?explain=7")
    assert counter._value.get() == before + 1


def test_explanations_have_a_rate_of_their_own(client: Client, monkeypatch: pytest.MonkeyPatch, settings) -> None:
    monkeypatch.setattr("recognition.api.views.OpenView.throttle_classes", (PredictThrottle,))
    monkeypatch.setattr(PredictThrottle, "rate", "20/min", raising=False)
    with redis.Redis.from_url(settings.REDIS_URL) as server:
        for key in server.scan_iter("digits:*throttle_*"):
            server.delete(key)
    seven = encode(draw(7))
    for _ in range(2):
        ask(client, seven, "?explain=7")
    refused = client.post("/api/drawing/?explain=7", seven, content_type="image/png")
    assert_refused(refused, 429, "rate_limited")
    assert int(refused["Retry-After"]) <= 61
    ask(client, seven, "")


def test_drawings_pass_while_others_wait_for_explanations(client: Client) -> None:
    """One is computed, one waits; further ones are refused at once, and leave the threads to drawings."""
    seven = encode(draw(7))
    with decode_slots.explanation_slot(), ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: decode_slots.explanation_slot().__enter__())
        while decode_slots.explanation_queue._value:
            pass
        assert_refused(client.post("/api/drawing/?explain=7", seven, content_type="image/png"), 503, "busy")
        ask(client, seven, "")
        decode_slots.explanation.release()
        waiting.result(timeout=5)
        decode_slots.explanation_queue.release()
    ask(client, seven, "?explain=7")
