"""Bad requests, each with its status and code; every answer is JSON and tells what is wrong."""

import json
import re
import time
from collections.abc import Iterable
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from PIL import Image

from recognition.prediction import classifier
from tests.support.drawings import data_url, draw, encode, png_header
from tests.support.fives import BAD_CRC, PNG
from tests.support.refusals import JSON, assert_refused
from training.models import Status, TrainingRun

pytestmark = pytest.mark.django_db
everywhere = pytest.mark.deployments("nginx", "granian")  # granian alone keeps every rule too
DRAWING, NUMBER, DRAWINGS = "/api/drawing/", "/api/number/", "/api/drawings/"
CORRECTIONS = "/api/corrections/?label=7"
RETRAIN, STOP = "/api/retrain_model/", "/api/stop_training/"
FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
FIELD = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
FILE = '--x\r\nContent-Disposition: form-data; name="{}"; filename="f"\r\nContent-Type: image/png\r\n\r\n{}\r\n'
END = "--x--\r\n"
SENT_BY_NO_BROWSER = ("http://local\thost:3000", "http://localhost:3000/")  # django-cors-headers reads the front end's


@pytest.fixture
def client(deployment: str, request: pytest.FixtureRequest) -> Client:
    """Django's test client, or one of a running deployment."""
    return request.getfixturevalue("deployed_client") if deployment else Client(HTTP_HOST="localhost")


DEEP = ['{"drawing":' * 50_000, "[" * 500_000, '{"epochs": ' + "9" * 500_000 + "}", "1" * 900_000]
MANY_PARTS = [
    "".join(FIELD.format(f"f{n}", "") for n in range(5000)) + END,
    "".join(FILE.format(f"f{n}", "a") for n in range(5000)) + END,
    "--x\r\n" * 50_000 + END,
]
MANY_NAMES = "&".join(f"a{n}=" for n in range(5000))
BLANK = data_url(encode(Image.new("L", (280, 280), 255)))
OVER_THE_LIMIT = "A" * settings.MAX_BODY_BYTES
ROW, INK = [0] * 28, [0.5] * 783
BAD_PIXELS: list[Any] = [
    *(None, 1, "x", {}, [], ROW, INK, [*INK, 0, 0], [*INK, "1"], [*INK, None], [*INK, True], [*INK, [1]]),
    *([*INK, -1], [*INK, 255.5], [*INK, 10**400], [*INK, float("nan")], [*INK, float("inf")]),
    *([ROW] * 27, [*[ROW] * 27, ROW[1:]], [*[ROW] * 27, 0], [[ROW] * 28], [[[level] for level in ROW]] * 28),
]
REFUSED: dict[tuple[str, str, int, str], Iterable[str | bytes]] = {
    (DRAWING, JSON, 400, "invalid_json"): [
        *("", '{"drawing":', b'{"drawing": "\xff\xfe"}', '{"drawing": NaN}', '{"drawing": 1e400}', "[" * 100_000),
    ],
    (DRAWING, JSON, 400, "not_an_object"): ["null", "[]", "1", '"x"'],
    (DRAWING, JSON, 400, "missing_drawing"): ["{}"],
    (DRAWING, JSON, 400, "invalid_type"): [f'{{"drawing": {value}}}' for value in ("null", "1", "[]", "{}")],
    (DRAWING, JSON, 400, "invalid_data_url"): [
        f'{{"drawing": "{url}"}}' for url in ("abc", "data:,", "hello, world", "http://x/y,z")
    ],
    (DRAWING, JSON, 400, "invalid_base64"): [f'{{"drawing": "data:image/png;base64,{s}"}}' for s in ("!!!!", "abcde")],
    (DRAWING, JSON, 400, "invalid_pixels"): [f'{{"pixels": {json.dumps(pixels)}}}' for pixels in BAD_PIXELS],
    (DRAWING, JSON, 400, "empty_image"): ['{"drawing": "data:image/png;base64,"}'],
    (DRAWING, JSON, 415, "unsupported_image"): ['{"drawing": "data:image/svg+xml;base64,PHN2Zy8+"}'],
    (DRAWING, JSON, 422, "blank_drawing"): [f'{{"drawing": "{BLANK}"}}'],
    (DRAWING, JSON, 413, "payload_too_large"): [f'{{"drawing": "{OVER_THE_LIMIT}"}}'],
    (DRAWING, "image/png", 415, "unsupported_image"): [b"<svg/>", b"8BPS\0\1", b"%PDF-1.7", b"seven"],
    (DRAWING, "image/png", 400, "corrupt_image"): [PNG[: len(PNG) // 2], BAD_CRC],
    (DRAWING, "image/png", 413, "image_too_large"): [png_header(13300, 13300), png_header(30000, 30000, 1, 0)],
    (DRAWING, "image/png", 400, "image_too_small"): [encode(Image.new("L", (1, 1024)))],
    (DRAWING, "image/png", 422, "blank_drawing"): [encode(Image.new("RGBA", (280, 280), (0, 0, 0, 0)))],
    **{
        (DRAWING, kind, 415, "unsupported_media_type"): ["{}"]
        for kind in ("", "text/plain", "application/json; charset=utf-16", "application/xml")
    },
    (DRAWING, MULTIPART, 400, "missing_drawing"): [part.format("other", "x") + END for part in (FIELD, FILE)],
    (DRAWINGS, JSON, 400, "invalid_json"): ["", '{"drawings": [', "[" * 100_000],
    (DRAWINGS, JSON, 400, "not_an_object"): ["null", "[]"],
    (DRAWINGS, JSON, 400, "missing_drawings"): [
        *("{}", '{"drawings": []}', '{"drawings": "x"}', '{"drawings": {"0": "x"}}'),
    ],
    (RETRAIN, JSON, 400, "invalid_json"): [
        *('{"preset": "\\ud800"}', '{"\\uD800": 1}', '{"preset": "\\ud83d\\udx"}'),  # half a pair of surrogates
    ],
    (RETRAIN, JSON, 400, "invalid_parameter"): ["[]", "1", '"x"', "null"],
    (STOP, JSON, 400, "invalid_parameter"): [
        f'{{"run": {run}}}' for run in ('"²"', f'"{"9" * 5000}"', "-1", "true", "[]", '"x"')
    ],
    (STOP, FORM, 400, "too_many_parts"): [MANY_NAMES],
}
# A picture of a number, or one to correct, is refused as one to predict.
REFUSED |= {
    (path, *rest): bodies
    for path in (NUMBER, CORRECTIONS)
    for (first, *rest), bodies in REFUSED.items()
    if first == DRAWING
}
COSTLY: dict[tuple[str, str, int, str], Iterable[str | bytes]] = {
    **{(path, JSON, 400, "invalid_json"): DEEP for path in (DRAWING, DRAWINGS, CORRECTIONS, RETRAIN, STOP)},
    **{(path, MULTIPART, 400, "too_many_parts"): MANY_PARTS for path in (DRAWING, CORRECTIONS, STOP)},
    (DRAWING, MULTIPART, 413, "payload_too_large"): [FIELD.format("drawing", OVER_THE_LIMIT) + END],
}


@everywhere
@pytest.mark.parametrize(("path", "kind", "status", "code"), REFUSED)
def test_a_bad_body_is_refused(client: Client, path: str, kind: str, status: int, code: str) -> None:
    for body in REFUSED[path, kind, status, code]:
        assert_refused(client.generic("POST", path, body, content_type=kind), status, code)


@pytest.mark.parametrize(("path", "kind", "status", "code"), COSTLY)
def test_a_body_that_is_deep_or_long_is_refused_in_no_time(
    client: Client, path: str, kind: str, status: int, code: str
) -> None:
    for body in COSTLY[path, kind, status, code]:
        began = time.process_time()
        assert_refused(client.generic("POST", path, body, content_type=kind), status, code)
        assert time.process_time() - began < 1, body[:40]


def test_a_query_or_a_form_of_the_admin_of_many_names_is_refused(client: Client) -> None:
    assert_refused(client.get(f"/api/runs/?{MANY_NAMES}"), 400, "too_many_parts")
    assert_refused(client.post("/admin/login/", MANY_NAMES, content_type=FORM), 400, "bad_request")


@everywhere
def test_other_methods_and_unknown_paths(client: Client) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        answer = client.generic(method, DRAWING)
        assert_refused(answer, 405, "method_not_allowed")
        assert "POST" in answer.headers["Allow"]
    for path in ("/api/", "/api/nothing/", "/api/runs/7777/", "/api/runs/x/"):
        assert_refused(client.get(path), 404, "not_found")


@everywhere
@pytest.mark.parametrize(
    "origin",
    [
        *("http://evil.example", "null", "http://localhost:3001", "https://localhost:3000", "http://localhost"),
        *("nonsense", "http://localhost:03000", "http://local\thost:3000", "http://x@localhost:3000"),
        *("http://localhost:3000/", "http://localhost:3000.evil.example", "http://localhost.:3000"),
    ],
)
def test_another_sites_page_may_not_read_post_or_hold_a_stream(client: Client, origin: str) -> None:
    headers = {"HTTP_ORIGIN": origin, "HTTP_HOST": "localhost:8000"}
    names = ("check_model_status", "training_progress", "model_accuracy")
    reads = [("GET", path) for path in ("/", *(f"/api/{name}/" for name in names))]
    for method, path in [
        *reads,
        ("GET", "/api/progress/"),
        *(("POST", path) for path in (DRAWING, NUMBER, RETRAIN, STOP)),
    ]:
        preflight = client.generic("OPTIONS", path, HTTP_ACCESS_CONTROL_REQUEST_METHOD=method, **headers)
        answer = client.generic(method, path, content_type=JSON, **headers)
        allowed = [one for one in (preflight, answer) if "access-control-allow-origin" in one.headers]
        assert not allowed or origin in SENT_BY_NO_BROWSER, path
        if (method, path) in reads:
            assert answer.status_code != 403, path
        else:
            assert_refused(answer, 403, "bad_origin")


@everywhere
def test_the_products_own_page_is_not_refused(client: Client, shipped: None) -> None:
    own = {"HTTP_ORIGIN": "http://localhost:8000", "HTTP_HOST": "localhost:8000"}
    drawing = {"drawing": data_url(encode(draw(4)))}
    assert client.post(DRAWING, drawing, content_type=JSON, **own).json()["prediction"] == 4


@everywhere
def test_local_mode_refuses_what_came_through_a_proxy(client: Client) -> None:
    for header in (
        *("X_FORWARDED_FOR", "FORWARDED", "X_REAL_IP", "VIA"),
        *("X_FORWARDED", "X_FORWARDED_PORT", "CF_RAY", "TRUE_CLIENT_IP"),
    ):
        answer = client.get("/api/check_model_status/", **{f"HTTP_{header}": "10.0.0.1"})
        assert_refused(answer, 403, "proxied_request")


def test_local_mode_refuses_another_interface(client: Client) -> None:
    assert_refused(client.get("/api/check_model_status/", SERVER_NAME="192.0.2.7"), 403, "not_local")


@everywhere
@pytest.mark.parametrize(
    ("field", "values"),
    {
        "epochs": [0, -1, 1e9, "three", True],
        "batch_size": [0],
        "learning_rate": [0, "fast", True],
        "samples": [60_001],
        "validation_samples": [-1, 10_001, 0.5, True],
        "seed": [-1],
        "activate": ["yes"],
        "preset": ["magic"],
        "layers": [3],
    }.items(),
)
def test_parameters_of_a_run(client: Client, field: str, values: list[Any]) -> None:
    for value in values:
        body = assert_refused(client.post(RETRAIN, {field: value}, content_type=JSON), 400, "invalid_parameter")
        assert body["field"] == field
        assert field in body["message"]
    assert client.get("/api/training_progress/").json() == {}, "nothing was started"


def test_parameters_of_a_run_at_the_terminal() -> None:
    wrong = (
        '--preset: Unknown preset "fats". Use original, fast, handwriting or adapt. --batch-size: Ensure this value is'
    )
    with pytest.raises(CommandError, match=re.escape(wrong)):
        call_command("train", "--preset", "fats", "--batch-size", "0")
    assert not TrainingRun.objects.exists()


def stop(client: Client, run: TrainingRun, kind: str, body: str) -> Any:
    answer = client.generic("POST", STOP, body.replace("%d", str(run.pk)), content_type=kind)
    run.refresh_from_db()
    return answer


def test_a_stop_that_is_not_understood_stops_nothing(client: Client) -> None:
    queued = TrainingRun.objects.create(preset="original", parameters={"epochs": 3})
    bodies = {
        JSON: ['{"run_id": 2}', '{"Run": 2}', '{"run": %d, "why": ""}', "[2]", '"2"', "2", "null"],
        FORM: ["run_id=2", "Run=2", "run=", "run=x", "run=%d&run=2", "run=%d&why="],
        MULTIPART: [FIELD.format("run_id", 2) + END],
    }
    for kind in bodies:
        for body in bodies[kind]:
            assert_refused(stop(client, queued, kind, body), 400, "invalid_parameter")
            assert queued.status == Status.QUEUED, body


def test_a_stop_without_a_run_or_with_the_active_one(client: Client) -> None:
    """As pages send it: without a body, or by a beacon without data, of an empty Blob or of a FormData."""
    bodies = {
        JSON: ["", "{}", '{"run": null}', '{"run": %d}'],
        FORM: ["", "run=%d", "csrfmiddlewaretoken=abc"],
        MULTIPART: ["", END, FIELD.format("run", "%d") + END],
        **dict.fromkeys(("", "text/plain;charset=UTF-8", "application/octet-stream"), ("",)),
    }
    for kind in bodies:
        for body in bodies[kind]:
            queued = TrainingRun.objects.create(preset="original", parameters={"epochs": 3})
            answer = stop(client, queued, kind, body)
            assert (answer.status_code, answer.json()) == (200, {"message": "Stop signal sent.", "run": queued.pk}), (
                kind
            )
            assert queued.status == Status.INTERRUPTED


@pytest.mark.parametrize("path", [DRAWING, NUMBER, DRAWINGS])
def test_no_model_can_serve(client: Client, path: str) -> None:
    url = data_url(encode(draw(1)))
    classifier.forget()
    answer = client.post(path, {"drawings": [url]} if path == DRAWINGS else {"drawing": url}, content_type=JSON)
    assert_refused(answer, 503, "model_unavailable")
    assert int(answer["Retry-After"]) > 0
    classifier.forget()
