"""POST /api/drawings/: many drawings, one answer or error for each."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from recognition.api.parsing.data_urls import decode_data_url
from tests.support import drawings
from tests.support.subprocesses import run_python

PATH = "/api/drawings/"


@pytest.fixture
def client(shipped: None) -> Client:
    return Client(HTTP_HOST="localhost")


def url_of(digit: int, **options: Any) -> str:
    return drawings.data_url(drawings.encode(drawings.draw(digit, **options)))


def post(client: Client, batch: Any, query: str = "") -> Any:
    return client.post(PATH + query, {"drawings": batch}, content_type="application/json")


def test_each_is_answered_as_if_it_had_been_alone(client: Client) -> None:
    """Ten digits on canvases of several kinds, then all of them again: more than one pass of the network takes."""
    batch = [url_of(d, size=64 + 20 * d, ink=255 * (d % 2), paper=255 * (1 - d % 2)) for d in range(10)] * 4
    answer = post(client, batch).json()
    alone = [client.post("/api/drawing/", {"drawing": url}, content_type="application/json").json() for url in batch]
    assert [one["prediction"] for one in answer["results"]] == list(range(10)) * 4
    for together, single in zip(answer["results"], alone, strict=True):
        assert together["probabilities"] == pytest.approx(single.pop("probabilities"), abs=1e-6)
        assert {name: together[name] for name in single} == single
        assert together["model"] == answer["model"]


def test_what_is_no_number_concerns_its_drawing_alone(client: Client) -> None:
    body = f'{{"drawings": [{{"pixels": [NaN, 1]}}, "{url_of(7)}"]}}'
    bad, good = client.post(PATH, body, content_type="application/json").json()["results"]
    assert (bad["code"], good["prediction"]) == ("invalid_pixels", 7)


def test_a_bad_drawing_in_a_batch_is_refused_in_its_place(client: Client) -> None:
    blank = drawings.data_url(drawings.encode(Image.new("L", (100, 100), 255)))
    svg = drawings.data_url(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    pixels = {"pixels": np.asarray(drawings.draw(3, 28)).tolist()}
    batch = [url_of(7), None, "x", "data:image/png;base64,!!!!", svg, blank, 1.5, {}, {"pixels": [1]}, pixels]
    results = post(client, batch).json()["results"]
    codes = ["invalid_type", "invalid_data_url", "invalid_base64", "unsupported_image", "blank_drawing"]
    assert [one.get("code") for one in results] == [
        None,
        *codes,
        "invalid_type",
        "invalid_type",
        "invalid_pixels",
        None,
    ]
    assert (results[0]["prediction"], results[-1]["prediction"]) == (7, 3)
    assert all(one["message"] == one["detail"] and one["message"] for one in results[1:-1])


def test_each_has_a_preview_of_its_own(client: Client) -> None:
    results = post(client, [url_of(1), url_of(8)], "?preview=1").json()["results"]
    pictures = [Image.open(BytesIO(decode_data_url(one["preview"]))) for one in results]
    assert [p.size for p in pictures] == [(28, 28)] * 2
    assert pictures[0].tobytes() != pictures[1].tobytes()


def test_256_are_taken_and_no_more(client: Client) -> None:
    one = url_of(4, size=28)
    answer = post(client, [one] * 256)
    assert [r["prediction"] for r in answer.json()["results"]] == [4] * 256
    refused = post(client, [one] * 257)
    assert (refused.status_code, refused.json()["code"]) == (400, "too_many_drawings")


def test_small_files_that_unfold_are_bounded_together(client: Client) -> None:
    """Two pictures of the largest size are read; what comes after them is refused before it is decoded."""
    huge = Image.new("1", (4096, 4096), 1)
    huge.paste(0, (1000, 1000, 1200, 3000))
    results = post(client, [drawings.data_url(drawings.encode(huge))] * 40 + [url_of(2)]).json()["results"]
    assert [one.get("code") for one in results] == [None] * 2 + ["image_too_large"] * 39


def test_a_batch_costs_one_request_for_each_drawing(tmp_path) -> None:
    """At PREDICT_RATE=5/min three pass; three more do not, and cost nothing; two pass, and a sixth drawing does not.

    A number costs as much as a digit.
    """
    code = """
def batch(size):
    client = Client(HTTP_HOST="localhost", REMOTE_ADDR="203.0.113.77")
    return client.post("/api/drawings/", {"drawings": ["x"] * size}, content_type="application/json")
def number():
    client = Client(HTTP_HOST="localhost", REMOTE_ADDR="203.0.113.77")
    return client.post("/api/number/", b"x", content_type="image/png")
answers = [batch(3), batch(3), batch(1), number(), number(), ask("203.0.113.77")]
last = answers[-1]
print(json.dumps([[a.status_code for a in answers], last.json()["code"], int(last["Retry-After"]) <= 61]))
"""
    assert run_python(code, tmp_path, PREDICT_RATE="5/min") == [[503, 429, 503, 415, 429, 429], "rate_limited", True]
