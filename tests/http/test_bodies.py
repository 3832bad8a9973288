"""Bodies as people send them: in every form of JSON, large, in gzip, to a path without its last slash."""

import gzip
import json
import zlib
from base64 import b64encode, encodebytes, urlsafe_b64encode
from typing import Any

import numpy as np
import pytest
from django.test import Client

from tests.support.drawings import data_url, draw, with_chunk
from tests.support.fives import PNG
from tests.support.refusals import JSON, assert_refused

pytestmark = pytest.mark.django_db
DRAWING, NUMBER = "/api/drawing/", "/api/number/"
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


everywhere = pytest.mark.deployments("nginx", "granian", "daphne")


@everywhere
def test_a_five_is_read_in_every_body(client: Client) -> None:
    answers = {name: client.generic("POST", DRAWING, body, content_type=kind) for name, (kind, body) in BODIES.items()}
    assert {name: (answer.status_code, answer.json().get("prediction")) for name, answer in answers.items()} == (
        dict.fromkeys(BODIES, (200, 5))
    )


@everywhere
def test_a_post_without_the_last_slash_is_answered_as_with_it(client: Client) -> None:
    for path in ("drawing", "drawings", "number"):
        assert client.generic("POST", f"/api/{path}", b"[]", content_type=JSON).json()["code"] == "not_an_object"
    assert client.generic("POST", "/api/retrain_model", b"[]", content_type=JSON).json()["code"] == "invalid_parameter"


# --- Large pictures ---

MIB = 2**20
LARGE, TOO_LARGE = (with_chunk(PNG, b"prVt", bytes(size)) for size in (8 * MIB - len(PNG) - 200, 8 * MIB))
FORM = "multipart/form-data; boundary=x"


def form(head: str, value: bytes) -> bytes:
    return f"--x\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + value + b"\r\n--x--\r\n"


AS_FILE = 'name="drawing"; filename="five.png"'
REFUSED_BY_SIZE = {
    "a picture": (DRAWING, "image/png", TOO_LARGE, 8 * MIB),
    "a file": (DRAWING, FORM, form(AS_FILE, TOO_LARGE), 8 * MIB),
    "JSON": (DRAWING, JSON, as_json(data_url(LARGE)), MIB),
    "a picture for a batch": ("/api/drawings/", "image/png", LARGE, MIB),
    "a picture for no drawing": ("/api/check_model_status/", "image/png", LARGE, MIB),
}


@everywhere
def test_a_picture_may_have_eight_megabytes_and_nothing_else_more_than_one(client: Client) -> None:
    for path in (DRAWING, DRAWING.removesuffix("/")):
        assert client.generic("POST", path, LARGE, content_type="image/png").json()["prediction"] == 5
    assert client.generic("POST", NUMBER, LARGE, content_type="image/png").json()["number"] == "5"
    assert client.generic("POST", DRAWING, form(AS_FILE, LARGE), content_type=FORM).json()["prediction"] == 5
    for path, kind, body, limit in REFUSED_BY_SIZE.values():
        refusal = assert_refused(client.generic("POST", path, body, content_type=kind), 413, "payload_too_large")
        assert str(limit) in refusal["message"] or (limit == MIB and "65536" in refusal["message"]), "nginx's own limit"
    field = client.generic("POST", DRAWING, form('name="drawing"', bytes(2 * MIB)), content_type=FORM)
    assert_refused(field, 413, "payload_too_large")


# --- gzip ---

PACKED, PLAIN = gzip.compress(as_json(URL)), as_json(URL)
BOMB = gzip.compress(bytes(50 * MIB))
PACKED_AND_REFUSED: dict[tuple[str, int, str], list[bytes]] = {
    ("gzip", 413, "payload_too_large"): [BOMB, gzip.compress(BOMB + bytes(2 * MIB))],
    ("gzip", 400, "invalid_body"): [
        *(PACKED[:size] for size in (1, 9, 100, len(PACKED) - 9, len(PACKED) - 1)),
        *(PLAIN, zlib.compress(PLAIN), PACKED + b"x", PACKED * 2, PACKED[:-8] + bytes(8)),
    ],
    ("gzip", 400, "invalid_json"): [b"", gzip.compress(b""), gzip.compress(PACKED)],
    **{(coding, 415, "unsupported_media_type"): [PLAIN] for coding in ("br", "deflate", "zstd", "gzip, gzip", "x")},
}


@everywhere
def test_gzip_is_unpacked_for_every_call(client: Client) -> None:
    for coding in ("gzip", "x-gzip", "GZIP"):
        answer = client.generic("POST", DRAWING, PACKED, content_type=JSON, HTTP_CONTENT_ENCODING=coding)
        assert answer.json()["prediction"] == 5
    picture = gzip.compress(LARGE)
    for kind, body in (("image/png", picture), (FORM, gzip.compress(form(AS_FILE, LARGE)))):
        answer = client.generic("POST", DRAWING, body, content_type=kind, HTTP_CONTENT_ENCODING="gzip")
        assert answer.json()["prediction"] == 5
    for path, code in (("/api/retrain_model/", "invalid_parameter"), ("/api/drawings/", "missing_drawings")):
        body = gzip.compress(b'{"epochs": 0}')
        assert_refused(client.generic("POST", path, body, content_type=JSON, HTTP_CONTENT_ENCODING="gzip"), 400, code)


@everywhere
@pytest.mark.parametrize(("coding", "status", "code"), PACKED_AND_REFUSED)
def test_a_packed_body_is_refused(client: Client, coding: str, status: int, code: str) -> None:
    for body in PACKED_AND_REFUSED[coding, status, code]:
        answer = client.generic("POST", DRAWING, body, content_type=JSON, HTTP_CONTENT_ENCODING=coding)
        assert_refused(answer, status, code)
        assert status != 415 or answer.headers["Accept-Encoding"] == "gzip"
    if status == 413:
        answer = client.generic("POST", DRAWING, BOMB, content_type="image/png", HTTP_CONTENT_ENCODING=coding)
        assert_refused(answer, status, code)
