"""A short flood, as `make fuzz` makes a long one; and that a flood notices what it is there to notice."""

import json
import random
from itertools import islice
from pathlib import Path

import pytest

pytest.importorskip("hypothesis", reason="made for Python 3.11 and later, as schemathesis is")

from tests.campaigns.fuzz import broken, frames, pictures
from tests.campaigns.fuzz.campaign import Flood, code_of, mixed, wrong_with
from tests.campaigns.fuzz.target import target
from tests.support.openapi_document import Document
from tests.support.wire import Answer, Request

BODIES, FRAMES = 400, 60
ASKED = Request("POST", "/api/drawing/", source="test")
ERROR = {"code": "invalid_json", "message": "no", "detail": "no"}


@pytest.fixture(scope="module")
def document() -> Document:
    from digits_site.web.openapi.views import document

    return Document(document())


@pytest.mark.stack
@pytest.mark.parametrize("public", [False, True], ids=["local", "public"])
def test_a_short_flood_violates_nothing(tmp_path: Path, public: bool) -> None:
    with target(tmp_path, public=public) as stack:
        tally = Flood(stack, seed=7, bodies=BODIES, frames=FRAMES).run()
    assert tally.violations == []
    assert tally.bodies >= BODIES
    assert tally.frames >= FRAMES
    assert set(tally.sources) == {"pictures", "bodies", "schema", "broken"}
    assert {"200", "400"} <= set(tally.statuses)


def test_a_seed_makes_the_same_flood_again(document: Document) -> None:
    once, again = (list(islice(mixed(3, document), 150)) for _ in range(2))
    assert once == again
    assert once != list(islice(mixed(4, document), 150))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(0, "", b"TimeoutError: "), "no answer"),
        (Answer(500, "application/json", b"{}"), "answered 500"),
        (Answer(503, "application/json", json.dumps(ERROR | {"code": "queue_unavailable"}).encode()), "answered 503"),
        (Answer(400, "text/html", b"<h1>Bad Request</h1>"), "without a code"),
        (Answer(400, "application/json", b'{"detail": "no"}'), "without a code"),
        (Answer(418, "application/json", json.dumps(ERROR).encode()), "not as documented"),
        (Answer(400, "application/json", json.dumps(ERROR | {"code": "new"}).encode()), "not as documented"),
        (Answer(200, "application/json", b'{"prediction": 11}'), "not as documented"),
        (Answer(400, "application/json", json.dumps(ERROR).encode(), 11.0), "after 11.0 s"),
    ],
)
def test_a_wrong_answer_is_noticed(document: Document, answer: Answer, words: str) -> None:
    assert words in wrong_with(document, ASKED, answer)


def test_a_right_answer_is_not(document: Document) -> None:
    good = Answer(400, "application/json", json.dumps(ERROR).encode(), 0.1)
    assert code_of(good)
    assert wrong_with(document, ASKED, good) == ""
    assert wrong_with(document, Request("GET", "/api/runs"), Answer(301, "text/html")) == ""


def test_what_was_saved_can_be_sent_again() -> None:
    request = Request("POST", "/api/drawing/", (("X", "\xff"),), b"\0\xff", "bodies")
    assert Request.loaded(request.saved()) == request
    assert request.encoded(80).endswith(b"X: \xff\r\nContent-Length: 2\r\n\r\n\0\xff")


def test_many_mutated_pictures_get_deep_into_the_decoders() -> None:
    """Most keep their checksums, so that it is not always the first look that refuses them."""
    from recognition.errors import RecognitionError
    from recognition.imaging import EncodedImage

    rng, honest, codes = random.Random(5), pictures.corpus(), set()
    read = 0
    for _ in range(800):
        try:
            read += bool(EncodedImage(pictures.mutated(rng, honest)).decode())
        except RecognitionError as error:
            codes.add(error.code)
    assert read > 160
    assert codes >= {"corrupt_image", "image_too_large", "image_too_small"}


def test_frames_and_broken_requests_are_many_kinds() -> None:
    rng = random.Random(1)
    assert len({frame[0] for frame in (frames.crooked(rng) for _ in range(300))}) > 25
    assert len(set(islice(broken.requests(1), 200))) > 150
