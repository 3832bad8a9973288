"""GET /api/corrections/ and its summary: filters, pages, pictures, counts; the rate; equal requests at once."""

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from recognition import registry
from recognition.models import NO_DIGIT, Correction
from tests.support.constant_models import constant_model
from tests.support.corrections import digit_grid, new_correction, random_grids
from tests.support.drawings import data_url, draw, encode
from tests.support.stack import Stack
from tests.support.subprocesses import run_python

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
URL, JSON = "/api/corrections/", "application/json"
DRAWING = data_url(encode(draw(7)))


@pytest.fixture
def reviewer() -> Client:
    client = Client(HTTP_HOST="localhost")
    client.force_login(User.objects.create_superuser("ada"))
    return client


def listed(client: Client, query: str = "") -> list[dict[str, Any]]:
    answer = client.get(URL + query)
    assert answer.status_code == 200, answer.content
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def test_a_row_has_its_picture_and_no_trace_of_the_address(reviewer: Client) -> None:
    row = new_correction(NO_DIGIT, sender="5" * 32, predicted=3, confidence=0.75)
    [found] = listed(reviewer)
    levels = np.asarray(Image.open(BytesIO(base64.b64decode(found["picture"].partition(",")[2]))))
    assert levels.tobytes() == bytes(row.picture)
    assert (found["label"], found["predicted"], found["confidence"]) == (None, 3, 0.75)
    assert (found["account"], found["decided_by"], found["source"]) == (None, None, "api")
    assert row.sender not in json.dumps(found)


def test_filters_narrow_the_list(reviewer: Client) -> None:
    seven = new_correction(7, predicted=1).pk
    none = new_correction(NO_DIGIT, grid=digit_grid(brush=29), predicted=1).pk
    pending = new_correction(7, grid=digit_grid(1), predicted=7, state="pending").pk
    zero = new_correction(0, state="rejected").pk
    for query, expected in {
        "": [zero, pending, none, seven],
        "?state=pending": [pending],
        "?label=7": [pending, seven],
        "?label=0": [zero],
        "?label=null": [none],
        "?predicted=1": [none, seven],
        "?state=accepted&label=7&predicted=1": [seven],
        "?state=rejected&label=7": [],
    }.items():
        assert [row["id"] for row in listed(reviewer, query)] == expected, query


@pytest.mark.parametrize("query", ["state=new", "label=10", "label=none", "predicted=10", "predicted=x", "predicted="])
def test_a_wrong_filter_is_refused(reviewer: Client, query: str) -> None:
    answer = reviewer.get(f"{URL}?{query}")
    assert (answer.status_code, answer.json()["code"]) in {(400, "invalid_parameter"), (400, "invalid_label")}


def test_pages_hold_every_correction_once_with_as_many_queries(reviewer: Client) -> None:
    rows = [new_correction(1, grid=grid, account=User.objects.get()).pk for grid in random_grids(45)]
    seen = [row["id"] for page in (1, 2, 3) for row in listed(reviewer, f"?page={page}")]
    assert seen == sorted(rows, reverse=True)
    with CaptureQueriesContext(
        connection,
    ) as few:
        listed(reviewer, "?page_size=2")
    with CaptureQueriesContext(connection) as many:
        assert len(listed(reviewer, "?page_size=45")) == 45
    assert len(many) == len(few)
    assert reviewer.get(f"{URL}?page=9").status_code == 404


def test_the_summary_counts_by_label_and_since_the_model(shipped: None) -> None:
    client = Client(HTTP_HOST="localhost")
    zeros = {**{str(digit): 0 for digit in range(10)}, "none": 0}
    url = f"{URL}summary/"
    assert client.get(url).json() == {"accepted": zeros, "pending": zeros, "held_out": 0, "since_model": 0}
    new_correction(7, held_out=True)
    yesterday = timezone.now() - timedelta(days=1)
    new_correction(NO_DIGIT, grid=digit_grid(brush=29), held_out=False, created_at=yesterday)
    new_correction(3, held_out=True, state="pending")
    new_correction(4, held_out=True, state="rejected")
    counts = client.get(url).json()
    assert counts["accepted"] == zeros | {"7": 1, "none": 1}
    assert counts["pending"] == zeros | {"3": 1}
    assert (counts["held_out"], counts["since_model"]) == (1, 1)
    Correction.objects.filter(label=NO_DIGIT).update(decided_at=timezone.now())
    assert client.get(url).json()["since_model"] == 2, "accepted after the model, whenever it was sent"
    registry.activate(registry.publish(constant_model(3), test_accuracy=0.99))
    assert client.get(url).json()["since_model"] == 0


def test_an_address_sends_no_more_than_the_rate(tmp_path: Path) -> None:
    code = """
def correct(peer):
    client = Client(HTTP_HOST="localhost", REMOTE_ADDR=peer)
    return client.post("/api/corrections/", {}, content_type="application/json")
answers = [correct("203.0.113.78") for _ in range(4)]
last = answers[-1]
others = [correct("203.0.113.79").status_code, ask("203.0.113.78").status_code]
print(json.dumps([[a.status_code for a in answers], last.json()["code"], int(last["Retry-After"]) <= 61, others]))
"""
    statuses, refusal, is_soon, others = run_python(code, tmp_path, CORRECTION_RATE="3/min")
    assert (statuses, refusal, is_soon) == ([400, 400, 400, 429], "rate_limited", True)
    assert others == [400, 400], "another address, and drawings, are counted by themselves"


def test_a_rate_that_is_none_is_refused_at_the_start(settings) -> None:
    from digits_site.checks import check_start

    settings.CORRECTION_RATE = "30 a minute"
    assert "digits.E024" in {error.id for error in check_start()}


def counted(stack: Stack, result: str) -> float:
    """The metric of corrections by the API."""
    labels = rf'{{(?=[^}}]*result="{result}")(?=[^}}]*source="api")[^}}]*}}'
    found = re.search(rf"^digits_corrections_total{labels} (\S+)$", stack.http.get("/metrics").text, re.M)
    return float(found[1]) if found else 0.0


@pytest.mark.stack
def test_of_a_hundred_equal_corrections_at_once_one_is_stored(stack: Stack) -> None:
    body = {"drawing": data_url(encode(draw(4, brush=21))), "label": 9}
    before, metrics = (
        stack.http.get(f"{URL}summary/").json(),
        [counted(stack, name) for name in ("accepted", "repeated")],
    )

    def send(_: int) -> tuple[int, int]:
        answer = stack.http.post(URL, json=body)
        return answer.status_code, answer.json()["id"]

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, range(100)))
    assert sorted(status for status, _ in answers) == [200] * 99 + [201]
    assert len({number for _, number in answers}) == 1
    after = stack.http.get(f"{URL}summary/").json()
    assert after["accepted"]["9"] == before["accepted"]["9"] + 1
    assert counted(stack, "accepted") == metrics[0] + 1
    assert counted(stack, "repeated") == metrics[1] + 99
