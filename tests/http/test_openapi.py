"""/api/schema/ tells the truth: it is valid, complete, and real answers are as it says; /api/docs/ shows it offline."""

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import get_resolver
from PIL import Image

from digits_site.web.errors import ApiError
from digits_site.web.openapi import views
from digits_site.web.openapi.schema import ignores_query
from recognition.models import Activation, Correction
from tests.support.access.routes import patterns
from tests.support.browser import (  # noqa: F401 (fixtures)
    Visits,
    check_accessibility,
    keep_pages,
    launch_chromium,
    watch_visits,
)
from tests.support.drawings import data_url, draw, draw_number, encode, png_header
from tests.support.openapi_document import Document
from tests.support.runs import claimed_run
from training.models import Status, TrainingRun

JSON = "application/json"
PNG = encode(draw(7))


@pytest.fixture
def client(shipped: None) -> Client:
    return Client(HTTP_HOST="localhost")


@pytest.fixture(scope="module")
def document() -> Document:
    return Document(views.document())


def test_it_is_valid_and_nothing_in_it_is_a_guess() -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file="/dev/null")


def methods_of(view: Any) -> set[str]:
    if hasattr(view, "actions"):
        return {method.upper() for method in view.actions} - {"HEAD"}
    if hasattr(view, "cls"):
        return {name.upper() for name in view.cls.http_method_names if hasattr(view.cls, name)} - {"OPTIONS"}
    return {"GET"}  # the event stream


def test_every_call_is_in_it_and_nothing_else(document: Document) -> None:
    real = {
        (re.sub(r"<int:\w+>", "{id}", path), method)
        for path, view in patterns(get_resolver())
        if path.startswith("/api/")
        for method in methods_of(view)
    }
    assert ("/api/runs/{id}/digits/", "GET") in real
    assert document.operations() == real


def documented_codes(tree: Any) -> set[str]:
    if isinstance(tree, dict):
        here = tree.get("properties", {}).get("code", {}).get("enum", [])
        return {*here, *(code for child in tree.values() for code in documented_codes(child))}
    return {code for child in tree for code in documented_codes(child)} if isinstance(tree, list) else set()


def codes_of(error: type[ApiError]) -> set[str]:
    """Return the codes of every subclass."""
    codes = {each.code for each in error.__subclasses__() if hasattr(each, "code")}
    return codes.union(*(codes_of(each) for each in error.__subclasses__()))


# Not answers of one operation: of forms, of the admin, of commands, of other methods, and what nobody should ever see.
ELSEWHERE = {
    *("server_error", "csrf_failed", "no_model", "no_earlier_model", "storage_unavailable"),
    *("state_changed", "less_accurate", "method_not_allowed", "unreadable_file"),
}


def test_every_code_that_can_be_answered_is_in_it(document: Document) -> None:
    assert codes_of(ApiError) - documented_codes(document.content) <= ELSEWHERE


def assert_as_documented(document: Document, answer: Any, status: int) -> None:
    assert answer.status_code == status, answer.content[:300]
    method, path = answer.request["REQUEST_METHOD"], answer.request["PATH_INFO"]
    problem = document.complaint(method, path, status, answer["Content-Type"], answer.content)
    assert not problem, f"{method} {path} {status}: {problem}"


GETS = {
    200: [
        *(f"/api/{name}/" for name in ("check_model_status", "training_progress", "model_accuracy", "presets")),
        *(f"/api/{name}/" for name in ("schema", "docs", "runs", "models", "corrections/summary")),
        *("/api/runs/?status=completed&ordering=-duration&page_size=1", "/api/runs/?include=epochs"),
    ],
    400: ["/api/runs/?status=lost", "/api/runs/?ordering=colour", "/api/runs/?include=colour"],
    404: [
        *("/api/runs/?page=77", "/api/runs/77/", "/api/runs/77/digits/"),
        *("/api/models/77/", "/api/models/77/onnx/", "/api/nothing/"),
    ],
    405: ["/api/drawing/"],
}
POSTS: dict[str, list[tuple[int, Any, str]]] = {
    "/api/drawing/?preview=1": [
        (200, {"drawing": data_url(PNG)}, JSON),
        (200, PNG, "image/png"),
        (400, b"", JSON),
        (200, {"pixels": np.asarray(draw(7, 28)).tolist()}, JSON),
        (400, {"pixels": [0]}, JSON),
        (400, {"drawing": 1}, JSON),
        (413, png_header(13300, 13300), "image/png"),
        (413, b"x" * 1_100_000, JSON),
        (415, b"8BPS", "image/vnd.adobe.photoshop"),
        (415, b"{}", "text/plain"),
        (422, encode(Image.new("L", (99, 99))), "image/png"),
    ],
    "/api/drawing/?model=77": [(404, PNG, "image/png")],
    "/api/number/?model=x": [(400, PNG, "image/png")],
    "/api/number/?preview=1": [
        (200, encode(draw_number("1204")), "image/png"),
        (400, b"", JSON),
        (422, encode(Image.new("L", (99, 99))), "image/png"),
        (422, encode(draw_number("2" * 21)), "image/png"),
    ],
    "/api/drawings/": [
        (200, {"drawings": [data_url(PNG), "x", 3]}, JSON),
        (200, {"drawings": [data_url(PNG), "x", 3], "as": "number"}, JSON),
        (400, {"drawings": [data_url(PNG)], "as": "text"}, JSON),
        (400, {"drawings": []}, JSON),
        (400, {"drawings": ["x"] * 257}, JSON),
    ],
    "/api/corrections/": [
        (201, {"drawing": data_url(PNG), "label": None}, JSON),
        (200, {"drawing": data_url(PNG), "label": None}, JSON),
        (400, {"drawing": data_url(PNG), "label": "7"}, JSON),
        (400, b"", JSON),
        (415, b"{}", "text/plain"),
    ],
    "/api/retrain_model/": [(400, body, JSON) for body in ({"epochs": 0}, {"layers": 3}, {"preset": "magic"}, [])],
}


def test_responses_are_as_documented(document: Document, client: Client) -> None:
    for status, paths in GETS.items():
        for path in paths:
            assert_as_documented(document, client.get(path), status)
    for path, posts in POSTS.items():
        for status, body, kind in posts:
            assert_as_documented(document, client.post(path, body, content_type=kind), status)


# To try them, the reader has to name the run, model, correction or account. No other operation needs an input.
NOT_PREFILLED = {
    *("activateModel", "deleteCorrection", "deleteCorrectionsOfAccount", "getRunComparison", "describeRun"),
}


def prefilled(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any] | None:
    """Return the request that "Try it out" begins with, or None if it lacks a required parameter."""
    query = {}
    for parameter in operation.get("parameters", ()):
        value = parameter.get("example", parameter["schema"].get("default"))
        if value is None and parameter.get("required"):
            return None
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(value))
        elif value is not None:
            query[parameter["name"]] = value
    accepted = next(iter(next(iter(operation["responses"].values())).get("content", {JSON: {}})))  # as Swagger UI asks
    request = {"method": method.upper(), "path": path, "query_params": query, "HTTP_ACCEPT": accepted}
    body = operation.get("requestBody", {}).get("content", {}).get(JSON)
    if body is None:
        return request
    return request | {"data": json.dumps(body["example"]), "content_type": JSON}


def test_what_try_it_out_begins_with_is_valid_and_harmless(document: Document, client: Client) -> None:
    """It is sent as it stands, by an account that may do everything. Training begins, and is stopped."""
    client.force_login(User.objects.create_superuser("root"))
    before, blank, first_run = Activation.current_model_id(), set(), TrainingRun.objects.get().pk
    for path, operations in document.content["paths"].items():
        for method, operation in operations.items():
            request = prefilled(path, method, operation)
            if request and "/runs/" in path:  # SQLite goes on counting after the runs of other tests
                request["path"] = request["path"].replace("/1/", f"/{first_run}/")
            if request is None:
                blank.add(operation["operationId"])
            elif operation["operationId"] != "streamProgress":  # the test client reads no streams
                assert client.generic(**request).status_code in {200, 201, 202}, request
    assert blank == NOT_PREFILLED
    [run] = TrainingRun.objects.exclude(worker="shipped")
    assert (run.preset, run.parameters["epochs"], run.parameters["activate"]) == ("fast", 1, False)
    [correction] = Correction.objects.all()
    assert correction.label == correction.predicted == 7
    assert not correction.uncertain
    assert Activation.current_model_id() == before


def test_unknown_query_parameters_are_refused(document: Document, client: Client) -> None:
    """Of every operation that reads its query, by the one name that no operation has."""
    client.force_login(User.objects.create_superuser("root"))
    for path, operations in document.content["paths"].items():
        for method in operations:
            answer = client.generic(method.upper(), path.replace("{id}", "1"), query_params={"modle": 12})
            if ignores_query(path):
                assert answer.status_code != 400, path
                continue
            assert_as_documented(document, answer, 400)
            assert (answer.json()["code"], answer.json()["field"]) == ("invalid_parameter", "modle"), path
    assert not TrainingRun.objects.active().exists()


def test_a_refused_query_parameter_is_named_with_the_known_ones(client: Client) -> None:
    answer = client.get("/api/runs/1/digits", {"predicted": 9, "lable": 4, "x": 1}).json()
    assert answer["message"].startswith('Unknown query parameter "lable". Use label, limit')
    assert client.head("/api/runs/?staus=error").status_code == 400
    assert (
        client.post("/api/retrain_model/?epochs=1").json()["message"] == 'Unknown query parameter "epochs". Use none.'
    )
    assert len(client.get(f"/api/runs/?{'x' * 3000}=1").json()["message"]) < 150


REFUSED_CHOICES = {
    "/api/runs/?status=lost": 'Unknown status "lost". Use waiting, queued, in_progress, completed, interrupted, error '
    "or cancelled.",
    "/api/runs/?include=colour": 'Unknown include "colour". Use epochs.',
    "/api/runs/?page_size=1000": "page_size: Must be an integer from 1 to 100.",
    "/api/runs/?page_size=few": "page_size: Must be an integer from 1 to 100.",
    "/api/corrections/?state=open": 'Unknown state "open". Use pending, accepted or rejected.',
    "/api/corrections/?predicted=10": 'Unknown digit "10". Use 0, 1, 2, 3, 4, 5, 6, 7, 8 or 9.',
}


def test_a_refused_choice_is_named_with_the_known_ones(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    for path, message in REFUSED_CHOICES.items():
        assert client.get(path).json()["message"] == message
    assert (
        client.get("/api/runs/?ordering=-colour")
        .json()["message"]
        .startswith('Unknown ordering "-colour". Use id, status, preset, ')
    )
    for preset in ("fats", "f" * 3000, 7, ["fast"], {}):
        answer = client.post("/api/retrain_model/", {"preset": preset}, content_type=JSON).json()
        assert re.fullmatch(r'Unknown preset ".{1,41}"\. Use original, fast, handwriting or adapt\.', answer["message"])
        assert answer["field"] == "preset"
    answer = client.post("/api/retrain_model/", {"layers": 3}, content_type=JSON).json()
    assert answer["message"].startswith('Unknown parameter "layers". Use preset, epochs, batch_size, ')


def test_refusals_by_middleware_are_as_documented(document: Document, client: Client) -> None:
    for status, headers in (
        (403, {"HTTP_ORIGIN": "http://evil.example"}),
        (403, {"HTTP_X_FORWARDED_FOR": "10.0.0.1"}),
        (400, {"HTTP_HOST": "rebound.example"}),
    ):
        assert_as_documented(document, client.post("/api/stop_training/", **headers), status)


def test_the_shipped_run_and_model_are_as_documented(document: Document, client: Client) -> None:
    run, model = (
        f"/api/{kind}/{client.get(f'/api/{kind}/').json()['results'][0]['id']}/" for kind in ("runs", "models")
    )
    paths = [run + part for part in ("", "digits/", "digits/?label=4&predicted=9")]
    for path in [*paths, *(model + part for part in ("", "onnx/", "keras/", "filters/", "dense/"))]:
        assert_as_documented(document, client.get(path), 200)
    assert_as_documented(document, client.get(f"{run}digits/?limit=0"), 400)
    assert_as_documented(document, client.post(f"{model}activate/"), 401)
    assert_as_documented(document, client.get("/api/runs/", HTTP_AUTHORIZATION="Token nonsense"), 401)
    assert_as_documented(document, client.get("/api/runs/", HTTP_ACCEPT="text/plain"), 406)


def test_corrections_are_as_documented(document: Document, client: Client) -> None:
    sent = client.post("/api/corrections/", {"drawing": data_url(PNG), "label": 7}, content_type=JSON).json()
    one, every = f"/api/corrections/{sent['id']}/", "/api/corrections/"
    assert_as_documented(document, client.get(every), 401)
    assert_as_documented(document, client.delete(f"{every}?account=me"), 401)
    assert_as_documented(document, client.delete(one), 404)
    assert client.delete(f"{one}?undo={sent['undo']}").status_code == 204
    client.force_login(User.objects.create_superuser("root"))
    client.post(every, {"drawing": data_url(PNG), "label": 7}, content_type=JSON)
    assert_as_documented(document, client.get(every), 200)
    assert_as_documented(document, client.get(f"{every}?state=x"), 400)
    assert_as_documented(document, client.get(f"{every}?page=9"), 404)
    assert_as_documented(document, client.delete(every), 400)
    assert_as_documented(document, client.delete(f"{every}?account=me"), 200)


def test_an_active_run_is_as_documented(document: Document, client: Client) -> None:
    run = claimed_run()
    run.add_epoch({"epoch": 1, "loss": 0.1, "accuracy": 0.9, "learning_rate": 0.001, "seconds": 1.0})
    for path in (f"/api/runs/{run.pk}/", "/api/training_progress/", "/api/check_model_status/"):
        assert_as_documented(document, client.get(path), 200)
    assert_as_documented(document, client.get(f"/api/runs/{run.pk}/digits/"), 404)
    assert_as_documented(document, client.post("/api/retrain_model/", {}, content_type=JSON), 409)
    assert_as_documented(document, client.post("/api/stop_training/", {"run": 77}, content_type=JSON), 409)
    assert_as_documented(document, client.post("/api/stop_training/", {"run": run.pk}, content_type=JSON), 200)
    run.finish(Status.INTERRUPTED)
    assert_as_documented(document, client.post("/api/stop_training/"), 409)


def test_a_wrong_answer_is_noticed(document: Document) -> None:
    assert document.complaint("GET", "/api/model_accuracy/", 200, JSON, b'{"accuracy": 2}')
    assert document.complaint("GET", "/api/model_accuracy/", 418, JSON, b"{}")
    assert document.complaint("GET", "/api/model_accuracy/", 200, "text/html", b"")
    assert document.complaint("GET", "/api/nothing/", 404, "text/html", b"<h1>")


def inline_objects(tree: Any, name: str) -> Iterator[str]:
    """Yield the class names that a client generator derives for objects without a name of their own."""
    for key, schema in tree.get("properties", {}).items():
        inline = name + "".join(part.capitalize() for part in key.split("_"))
        if "properties" in schema:
            yield inline
        yield from inline_objects(schema, inline)


def test_names_of_components_are_unique_for_client_generators(document: Document) -> None:
    components = document.content["components"]["schemas"]
    derived = [inline for name, schema in components.items() for inline in inline_objects(schema, name)]
    assert not set(derived) & set(components)


@pytest.mark.browser
@pytest.mark.stack
def test_the_page_shows_every_operation_and_loads_nothing_from_elsewhere(visits: Visits, document: Document) -> None:
    """`visits` fails it for any console message, a refusal by the content policy included."""
    page = visits.prepare()
    page.goto(f"{visits.url}/api/docs/")
    page.locator(".opblock").first.wait_for()
    assert page.locator(".opblock").count() == len(document.operations())
    page.locator("#operations-drawings-predictDrawing button").first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.locator(".live-responses-table").get_by_text('"prediction": 7').first.wait_for()
    visits.expected += ["inline style", "preload assets"]  # axe's own doing
    check_accessibility(page, 1280, 320, context="#operations-drawings-predictDrawing")
