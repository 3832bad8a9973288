"""Bodies as people send them: each is a five, and is read as one."""

import json
from base64 import b64encode, encodebytes, urlsafe_b64encode
from typing import Any

import numpy as np
import pytest
from django.test import Client

from tests.support.drawings import data_url, draw
from tests.support.fives import PNG
from tests.support.refusals import JSON

pytestmark = pytest.mark.django_db
DRAWING = "/api/drawing/"
GREY = np.asarray(draw(5, 28), dtype=int)  # dark on light
URL_SAFE = urlsafe_b64encode(PNG).decode()
URL = data_url(PNG)


@pytest.fixture
def client(deployment: str, request: pytest.FixtureRequest) -> Client:
    """Django's test client with the shipped model, or one of a running deployment."""
    if deployment:
        return request.getfixturevalue("deployed_client")
    request.getfixturevalue("shipped")
    return Client(HTTP_HOST="localhost")


def as_json(drawing: Any) -> bytes:
    return json.dumps({"drawing": drawing}).encode()


def pixels(levels: Any) -> bytes:
    return json.dumps({"pixels": levels.tolist()}).encode()


BODIES: dict[str, tuple[str, bytes]] = {
    "URL-safe": (JSON, as_json(f"data:image/png;base64,{URL_SAFE}")),
    "unpadded": (JSON, as_json(URL.rstrip("="))),
    "in lines": (JSON, as_json(f"data:image/png;base64,{encodebytes(PNG).decode()}")),
    "in raw lines, by a shell": (JSON, b'{"drawing": "data:image/png;base64,%s"}' % encodebytes(PNG)),
    "without a data URL": (JSON, as_json(b64encode(PNG).decode())),
    "URL-safe, unpadded, without a data URL": (JSON, as_json(URL_SAFE.rstrip("="))),
    "without data:": (JSON, as_json(URL.removeprefix("data:"))),
    "with a byte order mark": ("application/json; charset=utf-8", b"\xef\xbb\xbf" + as_json(URL)),
    "pixels, 28 rows": (JSON, pixels(GREY)),
    "pixels, light on dark": (JSON, pixels(255 - GREY)),
    "pixels, 784": (JSON, pixels(GREY.ravel())),
    "pixels, 0 to 1": (JSON, pixels(GREY / 255)),
    "pixels, 0 to 1, light on dark, 784": (JSON, pixels(1 - GREY.ravel() / 255)),
    "pixels, 0 or 1": (JSON, pixels(GREY // 128)),
    "pixels, 0.0 to 255.0": (JSON, pixels(GREY.astype(float))),
}


everywhere = pytest.mark.deployments("nginx", "granian")


@everywhere
def test_a_five_is_read_in_every_body(client: Client) -> None:
    answers = {name: client.generic("POST", DRAWING, body, content_type=kind) for name, (kind, body) in BODIES.items()}
    assert {name: (answer.status_code, answer.json().get("prediction")) for name, answer in answers.items()} == (
        dict.fromkeys(BODIES, (200, 5))
    )


@everywhere
def test_a_post_without_the_last_slash_is_answered_as_with_it(client: Client) -> None:
    answers = [client.generic("POST", f"/api/{path}", b"[]", content_type=JSON) for path in ("drawing", "drawings")]
    assert [answer.json()["code"] for answer in answers] == ["not_an_object"] * 2
    assert client.generic("POST", "/api/retrain_model", b"[]", content_type=JSON).json()["code"] == "invalid_parameter"
