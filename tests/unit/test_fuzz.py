"""A short flood, as `make fuzz` makes a long one; and that a flood notices what it is there to notice."""

import json
import random
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

pytest.importorskip("hypothesis", reason="made for Python 3.11 and later, as schemathesis is")

from recognition.errors import RecognitionError
from recognition.imaging import prepare
from tests.campaigns.fuzz import broken, decoders, frames, pictures
from tests.campaigns.fuzz.campaign import Flood, code_of, mixed, wrong_with
from tests.campaigns.fuzz.target import target
from tests.support.openapi_document import Document
from tests.support.wire import Answer, Request

BODIES, FRAMES = 400, 60  # with fewer, memory still grows when it counts
ASKED = Request("POST", "/api/drawing/", source="test")
JSON = "application/json"


def refused(status: int, code: str = "invalid_json", seconds: float = 0.1) -> Answer:
    return Answer(status, JSON, json.dumps({"code": code, "message": "no", "detail": "no"}).encode(), seconds)


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
    once, again = (list(islice(mixed(3, document), 100)) for _ in range(2))
    assert once == again
    assert once[:5] != list(islice(mixed(4, document), 5))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(0, "", b"TimeoutError: "), "no answer"),
        (Answer(500, JSON, b"{}"), "answered 500"),
        (refused(503, "queue_unavailable"), "answered 503"),
        (Answer(400, "text/html", b"<h1>Bad Request</h1>"), "without a code"),
        (Answer(400, JSON, b'{"detail": "no"}'), "without a code"),
        (refused(418), "not as documented"),
        (refused(400, "new"), "not as documented"),
        (Answer(200, JSON, b'{"prediction": 11}'), "not as documented"),
        (refused(400, seconds=11.0), "after 11.0 s"),
    ],
)
def test_a_wrong_answer_is_noticed(document: Document, answer: Answer, words: str) -> None:
    assert words in wrong_with(document, ASKED, answer)


def test_a_right_answer_is_not(document: Document) -> None:
    assert code_of(refused(400)) == "invalid_json"
    assert wrong_with(document, ASKED, refused(400)) == ""
    assert wrong_with(document, Request("GET", "/api/runs"), Answer(301, "text/html")) == ""


def test_what_was_saved_can_be_sent_again() -> None:
    request = Request("POST", "/api/drawing/", (("X", "\xff"),), b"\0\xff", "bodies")
    assert Request.loaded(request.saved()) == request
    assert request.encoded(80).endswith(b"X: \xff\r\nContent-Length: 2\r\n\r\n\0\xff")


def test_many_mutated_pictures_get_deep_into_the_decoders() -> None:
    """Most keep their checksums, so that it is not always the first look that refuses them."""
    rng, honest, codes = random.Random(5), pictures.corpus(), Counter[str]()
    for _ in range(800):
        try:
            assert prepare(pictures.mutated(rng, honest)).shape == (28, 28)
            codes["read"] += 1
        except RecognitionError as error:
            codes[error.code] += 1
    assert codes["read"] + codes["blank_drawing"] > 160
    assert set(codes) >= {"corrupt_image", "image_too_large", "image_too_small"}


def test_the_fast_decoder_reads_what_pillow_reads_and_nothing_else() -> None:
    tally, differing = decoders.compare(seed=5, count=800)
    assert differing == []
    assert min(tally["read by the fast decoder"], tally["read by Pillow"], tally["refused"]) > 100


def test_frames_and_broken_requests_are_many_kinds() -> None:
    rng = random.Random(1)
    assert len({frame[0] for frame in (frames.crooked(rng) for _ in range(300))}) > 25
    assert len(set(islice(broken.requests(1), 200))) > 150
