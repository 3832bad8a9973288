"""Bad requests, each with its status and code; every answer is JSON and tells what is wrong."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from PIL import Image

from tests.support.drawings import data_url, draw, encode
from tests.support.refusals import JSON, assert_refused
from training.models import Status, TrainingRun

pytestmark = pytest.mark.django_db
everywhere = pytest.mark.deployments("nginx", "granian")  # granian alone keeps every rule too
PART = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n--x--\r\n'


@pytest.fixture
def client(deployment: str, request: pytest.FixtureRequest) -> Client:
    """Django's test client, or one of a running deployment."""
    if deployment:
        return request.getfixturevalue("deployed_client")
    request.getfixturevalue("shipped")
    return Client(HTTP_HOST="localhost")


@everywhere
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "invalid_json"),
        (b'{"drawing":', 400, "invalid_json"),
        (b"[" * 100_000, 400, "invalid_json"),
        (b'{"drawing": "\xff\xfe"}', 400, "invalid_json"),
        (b'{"drawing": NaN}', 400, "invalid_json"),
        (b'{"drawing": 1e400}', 400, "invalid_json"),
        (b"null", 400, "not_an_object"),
        (b"[]", 400, "not_an_object"),
        (b"1", 400, "not_an_object"),
        (b'"x"', 400, "not_an_object"),
        (b"{}", 400, "missing_drawing"),
        (b'{"drawing": null}', 400, "invalid_type"),
        (b'{"drawing": 1}', 400, "invalid_type"),
        (b'{"drawing": []}', 400, "invalid_type"),
        (b'{"drawing": {}}', 400, "invalid_type"),
        (b'{"drawing": "abc"}', 400, "invalid_data_url"),
        (b'{"drawing": "data:,"}', 400, "invalid_data_url"),
        (b'{"drawing": "http://x/y,z"}', 400, "invalid_data_url"),
        (b'{"drawing": "data:image/png;base64,!!!!"}', 400, "invalid_base64"),
        (b'{"drawing": "data:image/png;base64,abc"}', 400, "invalid_base64"),
        (b'{"drawing": "data:image/png;base64,"}', 400, "empty_image"),
        (b'{"drawing": "data:image/svg+xml;base64,PHN2Zy8+"}', 415, "unsupported_image"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bodies_of_a_drawing(client: Client, body: bytes, status: int, code: str) -> None:
    assert_refused(client.post("/api/drawing/", body, content_type=JSON), status, code)


@everywhere
@pytest.mark.parametrize("kind", ["text/plain", "application/json; charset=utf-16", "application/xml"])
def test_content_types_that_are_not_read(client: Client, kind: str) -> None:
    assert_refused(client.post("/api/drawing/", b"{}", content_type=kind), 415, "unsupported_media_type")


@everywhere
def test_a_body_without_a_content_type(client: Client) -> None:
    assert_refused(client.generic("POST", "/api/drawing/", b"{}", content_type=""), 415, "unsupported_media_type")


@everywhere
@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_other_methods(client: Client, method: str) -> None:
    answer = getattr(client, method)("/api/drawing/")
    assert_refused(answer, 405, "method_not_allowed")
    assert "POST" in answer["Allow"]


@everywhere
def test_a_body_over_the_limit(client: Client) -> None:
    body = b'{"drawing": "' + b"A" * settings.MAX_BODY_BYTES + b'"}'
    assert_refused(client.post("/api/drawing/", body, content_type=JSON), 413, "payload_too_large")


@everywhere
def test_a_blank_drawing(client: Client) -> None:
    drawing = data_url(encode(Image.new("L", (280, 280), 255)))
    assert_refused(client.post("/api/drawing/", {"drawing": drawing}, content_type=JSON), 422, "blank_drawing")


@everywhere
@pytest.mark.parametrize(
    "origin",
    [
        *("http://evil.example", "null", "http://localhost:3001", "https://localhost:3000", "http://localhost"),
        *("nonsense", "http://localhost:03000", "http://local\thost:3000", "http://x@localhost:3000"),
        *("http://localhost:3000/", "http://localhost:3000.evil.example", "http://localhost.:3000"),
    ],
)
@pytest.mark.parametrize("path", ["/api/drawing/", "/api/retrain_model/", "/api/stop_training/"])
def test_another_sites_page_is_refused(client: Client, origin: str, path: str) -> None:
    assert_refused(
        client.post(path, {}, content_type=JSON, HTTP_ORIGIN=origin, HTTP_HOST="localhost:8000"), 403, "bad_origin"
    )


@everywhere
def test_a_cross_site_post_without_an_origin_is_refused(client: Client) -> None:
    assert_refused(client.post("/api/stop_training/", HTTP_SEC_FETCH_SITE="cross-site"), 403, "bad_origin")


@everywhere
def test_the_products_own_page_is_not_refused(client: Client) -> None:
    own = {"HTTP_ORIGIN": "http://localhost:8000", "HTTP_HOST": "localhost:8000"}
    drawing = {"drawing": data_url(encode(draw(4)))}
    assert client.post("/api/drawing/", drawing, content_type=JSON, **own).json()["prediction"] == 4


@everywhere
@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded", "X-Forwarded-Port", "CF-Ray", "True-Client-IP"],
)
def test_local_mode_refuses_what_came_through_a_proxy(client: Client, header: str) -> None:
    assert_refused(
        client.get("/api/check_model_status/", **{f"HTTP_{header.upper().replace('-', '_')}": "10.0.0.1"}),
        403,
        "proxied_request",
    )


def test_local_mode_refuses_another_interface(client: Client) -> None:
    assert_refused(client.get("/api/check_model_status/", SERVER_NAME="192.0.2.7"), 403, "not_local")


@everywhere
@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"epochs": 0}, "epochs"),
        ({"epochs": -1}, "epochs"),
        ({"epochs": 1e9}, "epochs"),
        ({"epochs": "three"}, "epochs"),
        ({"epochs": True}, "epochs"),
        ({"batch_size": 0}, "batch_size"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"learning_rate": True}, "learning_rate"),
        ({"samples": 60_001}, "samples"),
        ({"seed": -1}, "seed"),
        ({"activate": "yes"}, "activate"),
        ({"preset": "magic"}, "preset"),
        ({"layers": 3}, "layers"),
    ],
    ids=str,
)
def test_parameters_of_a_run(client: Client, parameters: dict[str, Any], field: str) -> None:
    body = assert_refused(client.post("/api/retrain_model/", parameters, content_type=JSON), 400, "invalid_parameter")
    assert body["field"] == field
    assert field in body["message"]
    assert client.get("/api/training_progress/").json() == {}, "nothing was started"


@everywhere
@pytest.mark.parametrize("body", ['{"preset": "\\ud800"}', '{"\\uD800": 1}', '{"preset": "\\ud83d\\udx"}'])
def test_half_a_pair_of_surrogates_is_no_text(client: Client, body: str) -> None:
    assert_refused(client.post("/api/retrain_model/", body, content_type=JSON), 400, "invalid_json")


@everywhere
@pytest.mark.parametrize("body", ["[]", "1", '"x"', "null"])
def test_parameters_that_are_no_object(client: Client, body: str) -> None:
    assert_refused(client.post("/api/retrain_model/", body, content_type=JSON), 400, "invalid_parameter")


@everywhere
@pytest.mark.parametrize("run", ["²", "9" * 5000, -1, True, [], "x"], ids=lambda value: str(value)[:9])
def test_the_run_to_stop_that_is_no_number(client: Client, run: Any) -> None:
    assert_refused(client.post("/api/stop_training/", {"run": run}, content_type=JSON), 400, "invalid_parameter")


FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def queued(client: Client) -> TrainingRun:
    return TrainingRun.objects.create(preset="original", parameters={"epochs": 3})


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        *(
            (JSON, body)
            for body in ('{"run_id": 2}', '{"Run": 2}', '{"run": %d, "why": ""}', "[2]", '"2"', "2", "null")
        ),
        *((FORM, body) for body in ("run_id=2", "Run=2", "run=", "run=x", "run=%d&run=2", "run=%d&why=")),
        ("multipart/form-data; boundary=x", PART.format("run_id", 2)),
    ],
    ids=str,
)
def test_a_stop_that_is_not_understood_stops_nothing(client: Client, queued: TrainingRun, kind: str, body: str) -> None:
    answer = client.generic("POST", "/api/stop_training/", body.replace("%d", str(queued.pk)), content_type=kind)
    assert_refused(answer, 400, "invalid_parameter")
    queued.refresh_from_db()
    assert queued.status == Status.QUEUED


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        *((kind, "") for kind in ("", "text/plain;charset=UTF-8", "application/octet-stream", FORM, JSON)),
        *((JSON, body) for body in ("{}", '{"run": null}', '{"run": %d}')),
        *((FORM, body) for body in ("run=%d", "csrfmiddlewaretoken=abc")),
        ("multipart/form-data; boundary=x", ""),
        ("multipart/form-data; boundary=x", "--x--\r\n"),
        ("multipart/form-data; boundary=x", PART.format("run", "%d")),
    ],
    ids=str,
)
def test_a_stop_without_a_run_or_with_the_active_one(client: Client, queued: TrainingRun, kind: str, body: str) -> None:
    """As pages send it: without a body, or by a beacon without data, of an empty Blob or of a FormData."""
    answer = client.generic("POST", "/api/stop_training/", body.replace("%d", str(queued.pk)), content_type=kind)
    assert (answer.status_code, answer.json()) == (200, {"message": "Stop signal sent.", "run": queued.pk})
    queued.refresh_from_db()
    assert queued.status == Status.INTERRUPTED


@everywhere
@pytest.mark.parametrize("path", ["/api/", "/api/nothing/", "/api/runs/7777/", "/api/runs/x/"])
def test_unknown_paths_of_the_api_answer_json(client: Client, path: str) -> None:
    assert_refused(client.get(path), 404, "not_found")


def test_no_model_can_serve(db: None) -> None:
    from recognition import classifier

    classifier.forget()
    answer = Client(HTTP_HOST="localhost").post(
        "/api/drawing/", {"drawing": data_url(encode(draw(1)))}, content_type=JSON
    )
    assert_refused(answer, 503, "model_unavailable")
    assert int(answer["Retry-After"]) > 0
    classifier.forget()
