"""?model=: any kept model predicts without being put into service, and without costing or counting too much."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from recognition import metrics, registry, statistics
from recognition.drift import corrections_by_day
from recognition.errors import LoadingBusy
from recognition.models import Activation, Correction, ModelVersion
from recognition.prediction import classifier, kept_models
from recognition.prediction.classifier import Classifier
from tests.support.constant_models import publish_constant_model
from tests.support.drawings import data_url, draw, draw_number, encode

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
SEVEN = encode(draw(7))


@pytest.fixture
def client(shipped: None) -> Client:
    return Client(HTTP_HOST="localhost")


@pytest.fixture(autouse=True)
def loads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The models that a process without any has loaded."""
    monkeypatch.setattr(kept_models, "_kept", kept_models.KeptModels())
    statistics._counts.take()
    loaded: list[int] = []
    load = Classifier.load.__func__

    def counted(cls: type[Classifier], model: ModelVersion) -> Any:
        loaded.append(model.pk)
        return load(cls, model)

    monkeypatch.setattr(Classifier, "load", classmethod(counted))
    yield loaded
    statistics._counts.take()


def ask(client: Client, path: str, status: int = 200, content: bytes = SEVEN) -> Any:
    response = client.post(path, content, content_type="image/png")
    assert response.status_code == status, response.content
    return response.json()


def test_every_kind_of_prediction_can_be_by_another_model(client: Client) -> None:
    three = publish_constant_model(3).pk
    serving = Activation.current_model_id()
    query = f"?preview=1&model={three}"
    answer = ask(client, f"/api/drawing/{query}")
    assert (answer["prediction"], answer["model"], answer["confidence"]) == (3, three, 100.0)
    answer = ask(client, f"/api/number/{query}", content=encode(draw_number("98")))
    assert (set(answer["number"]), answer["model"]) == ({"3"}, three)
    batch = client.post(f"/api/drawings/{query}", {"drawings": [data_url(SEVEN)]}, content_type="application/json")
    assert (batch.json()["model"], batch.json()["results"][0]["prediction"]) == (three, 3)
    answer = ask(client, "/api/drawing/")
    assert (answer["prediction"], answer["model"]) == (7, serving), "the model in service answers the others"


def test_only_the_model_in_service_is_counted(client: Client) -> None:
    three, serving = publish_constant_model(3).pk, Activation.current_model_id()
    seen = metrics.predictions[3, False]._value.get()
    lengths = metrics.number_length[False]._sum.get()
    ask(client, f"/api/drawing/?model={three}")
    ask(client, f"/api/number/?model={three}")
    assert not statistics._counts.take()
    assert (metrics.predictions[3, False]._value.get(), metrics.number_length[False]._sum.get()) == (seen, lengths)
    ask(client, f"/api/drawing/?model={serving}")
    assert {key.model for key in statistics._counts.take()} == {serving}


@pytest.mark.parametrize("path", ["/api/drawing/", "/api/number/", "/api/corrections/"])
def test_a_model_that_is_not_there_and_a_malformed_one(client: Client, path: str) -> None:
    label = "&label=7" if "corrections" in path else ""
    assert ask(client, f"{path}?model=4711{label}", 404)["code"] == "model_not_found"
    for wrong in ("", "0", "-1", "1.5", "²", "12345678901", "1 OR 1"):
        assert ask(client, f"{path}?model={wrong}{label}", 400)["field"] == "model"


@pytest.mark.parametrize("harm", ["torn", "missing", "other"])
def test_a_harmed_file_is_refused_and_not_read_at_every_request(client: Client, harm: str, loads: list[int]) -> None:
    model = publish_constant_model(4)
    path = Path(model.file.path)
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes(SEVEN if harm == "other" else path.read_bytes()[:100])
    for _ in range(3):
        response = client.post(f"/api/drawing/?model={model.pk}", SEVEN, content_type="image/png")
        assert (response.status_code, response.json()["code"]) == (503, "model_unavailable")
        assert f"model {model.pk}" in response.json()["message"]
        assert response["Retry-After"]
    assert loads.count(model.pk) == 1
    assert ask(client, "/api/drawing/")["prediction"] == 7


def test_the_ones_that_were_asked_for_last_stay_loaded(client: Client, loads: list[int]) -> None:
    one, two, three, four = (publish_constant_model(digit).pk for digit in range(1, 5))
    for model in (one, two, three, one, three, two):
        ask(client, f"/api/drawing/?model={model}")
    ask(client, f"/api/drawing/?model={Activation.current_model_id()}")
    assert [model for model in loads if model in (one, two, three)] == [one, two, three]
    for model in (four, three, two, one):  # the fourth takes the place of the first
        ask(client, f"/api/drawing/?model={model}")
    assert [model for model in loads if model in (one, two, three, four)] == [one, two, three, four, one]
    assert len(kept_models._kept._loaded) == kept_models.MAX_LOADED


def test_one_is_loaded_at_a_time_and_few_requests_wait(shipped: None, monkeypatch: pytest.MonkeyPatch) -> None:
    models = [publish_constant_model(digit) for digit in range(1, 5)]
    kept = kept_models.KeptModels()
    kept.get(models[0])
    began, go_on = threading.Event(), threading.Event()
    load = Classifier.load

    def slow(model: ModelVersion) -> Classifier:
        began.set()
        assert go_on.wait(30)
        return load(model)

    monkeypatch.setattr(Classifier, "load", slow)
    with ThreadPoolExecutor(1 + kept_models.MAX_WAITING) as pool:
        loading = pool.submit(kept.get, models[1])
        assert began.wait(30)
        waiting = [pool.submit(kept.get, models[1]) for _ in range(kept_models.MAX_WAITING)]
        while kept._queue._value:
            threading.Event().wait(0.01)
        with pytest.raises(LoadingBusy):
            kept.get(models[2])
        assert kept.get(models[0]).version == models[0].pk, "a loaded one is not held up"
        go_on.set()
        assert {loading.result(30)} == {one.result(30) for one in waiting}


def test_a_model_that_is_put_into_service_is_not_kept_twice(client: Client) -> None:
    five = publish_constant_model(5)
    ask(client, f"/api/drawing/?model={five.pk}")
    registry.activate(five)
    classifier.forget()
    ask(client, f"/api/drawing/?model={five.pk}")
    assert {key.model for key in statistics._counts.take()} == {five.pk}


def test_a_correction_records_what_the_chosen_model_predicted(client: Client) -> None:
    three = publish_constant_model(3).pk
    answer = ask(client, f"/api/corrections/?label=7&model={three}", 201)
    assert (answer["predicted"], answer["model"]) == (3, three)
    correction = Correction.objects.get()
    assert (correction.predicted, correction.model_id, correction.confidence) == (3, three, 1.0)
    today = correction.created_at.date()
    assert corrections_by_day(today) == [], "it says nothing about the model in service"
    ask(client, "/api/corrections/?label=1", 201, encode(draw(4)))
    assert corrections_by_day(today) == [(today, 1)]


def test_the_command_takes_a_model(shipped: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    three = publish_constant_model(3).pk
    (tmp_path / "7.png").write_bytes(SEVEN)
    call_command("read", str(tmp_path / "7.png"), model=three)
    assert capsys.readouterr().out == "3\t100.00\n"
    with pytest.raises(CommandError, match="There is no model 4711"):
        call_command("read", str(tmp_path / "7.png"), model=4711)
