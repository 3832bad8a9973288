"""A comparison decides whether a model may replace the one in service; a person with the permission may overrule it."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from recognition import registry
from recognition.comparison import SetResult
from recognition.errors import WorseThanChampion
from recognition.models import Activation, Comparison, ModelVersion
from tests.support.accepted_corrections import add_corrections
from tests.support.admin_pages import MODELS, RUNS, confirm, hidden_fields, superuser_client, text_of  # noqa: F401
from tests.support.comparisons import BETTER, WORSE
from tests.support.constant_models import publish_constant_model
from tests.support.refusals import assert_refused
from tests.support.runs import make_run
from training.models import RunCorrections, Status, TrainingRun

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
JSON = "application/json"
MNIST_WORSE = "It is significantly worse on MNIST's test digits"


def challenger(results: list[SetResult], digit: int = 9) -> ModelVersion:
    """Publish a model that was compared with the one in service."""
    model = publish_constant_model(digit)
    champion = Activation.current()
    assert champion
    registry.compare(champion.model, model, results)
    return model


def compared_run(results: list[SetResult], **values: Any) -> TrainingRun:
    """Add a completed run that learned 20 corrections, and whose model was compared with the one in service."""
    model = challenger(results)
    base = Activation.current_model_id()
    run = make_run(Status.COMPLETED, preset="adapt", model=model, base_id=base, **values)
    RunCorrections.objects.create(run=run, count=14, held_out=6, sha256="ab" * 32, entries=[], pictures=b"")
    return run


def activate(client: Client, model: ModelVersion, **body: Any) -> Any:
    return client.post(f"/api/models/{model.pk}/activate/", body, content_type=JSON)


def test_a_worse_model_is_refused_until_a_reason_is_given(client: Client) -> None:
    worse, before = challenger(WORSE), Activation.objects.count()
    for body in ({}, {"reason": ""}, {"reason": "  "}):
        refused = assert_refused(activate(client, worse, **body), 409, "worse_than_champion")
        assert refused["objections"][0].startswith(MNIST_WORSE)
        assert "It misreads 100 of MNIST's test digits, the model in service 42." in refused["objections"]
        assert refused["objections"][0] in refused["message"]
    for reason in (["x"], {}, None, True, "x" * 501):
        assert assert_refused(activate(client, worse, reason=reason), 400, "invalid_parameter")["field"] == "reason"
    assert Activation.objects.count() == before
    answer = activate(client, worse, reason="The test digits are not what we get.")
    assert (answer.status_code, answer.json()["in_service"]) == (200, True)
    newest = Activation.current()
    assert newest
    assert (newest.model, str(newest.by), newest.reason) == (worse, "admin", "The test digits are not what we get.")


def test_a_better_model_needs_no_reason_though_its_test_accuracy_is_lower(client: Client) -> None:
    better = challenger(BETTER)
    assert better.test_accuracy < Activation.current().model.test_accuracy
    assert activate(client, better).status_code == 200
    assert Activation.current_model_id() == better.pk


def test_a_reason_without_an_account_overrules_nothing(client: Client) -> None:
    worse = challenger(WORSE)
    with pytest.raises(WorseThanChampion):
        registry.activate(worse, reason="because")
    assert_refused(Client(HTTP_HOST="localhost").post(f"/api/models/{worse.pk}/activate/"), 401, "not_authenticated")


def test_a_comparison_with_another_model_does_not_decide(client: Client) -> None:
    worse = challenger(WORSE)
    registry.activate(publish_constant_model(2))
    assert activate(client, worse).status_code == 200


def test_a_roll_back_needs_no_gate(client: Client) -> None:
    first = Activation.current_model_id()
    worse = challenger(WORSE)
    registry.activate(publish_constant_model(2))
    registry.activate(ModelVersion.objects.get(pk=first))
    registry.roll_back()
    registry.activate(worse)
    registry.compare(worse, publish_constant_model(2), WORSE)
    assert registry.roll_back().model == publish_constant_model(2)


@pytest.mark.parametrize("page", ["model", "run"])
def test_the_admin_warns_and_asks_for_a_reason(client: Client, page: str) -> None:
    run = compared_run(WORSE)
    assert run.model
    url = {"model": f"{MODELS}{run.model.pk}/act/activate/", "run": f"{RUNS}{run.pk}/act/activate/"}[page]
    asked = client.get(url).content.decode()
    assert MNIST_WORSE in asked.replace("&#x27;", "'")
    assert 'name="reason"' in asked
    before, log = Activation.objects.count(), LogEntry.objects.count()
    assert "This field is required." in text_of(client.post(url, hidden_fields(client, url)))
    assert (Activation.objects.count(), LogEntry.objects.count()) == (before, log)
    assert f"odel {run.model.pk} is in service." in confirm(client, url, reason="For the exhibition")
    assert Activation.current().reason == "For the exhibition"
    assert "For the exhibition" in text_of(client.get(f"{MODELS}{run.model.pk}/change/"))


def test_the_admin_asks_for_no_reason_where_nothing_is_against_it(client: Client) -> None:
    better = challenger(BETTER)
    url = f"{MODELS}{better.pk}/act/activate/"
    assert 'name="reason"' not in client.get(url).content.decode()
    assert f"odel {better.pk} is in service." in confirm(client, url)


def test_a_models_lineage_can_be_seen(client: Client) -> None:
    base = Activation.current_model_id()
    run = compared_run(BETTER)
    ModelVersion.objects.filter(pk=run.model_id).update(parent=base)
    page = text_of(client.get(f"{MODELS}{run.model_id}/change/"))
    shipped_run = TrainingRun.objects.get(worker="shipped")
    expected = f"model {run.model_id}, trained by run {run.pk} (adapt) on 20 corrections (6 held out, SHA-256 abababab"
    assert expected in page
    assert f"from model {base} , trained by run {shipped_run.pk} (handwriting)" in page
    model = client.get(f"/api/models/{run.model_id}/").json()
    assert (model["parent"], model["run"]) == (base, run.pk)
    assert (model["comparison"]["champion"], model["comparison"]["objections"]) == (base, [])
    shipped = client.get(f"/api/models/{base}/").json()
    assert (shipped["parent"], shipped["run"], shipped["comparison"]) == (None, shipped_run.pk, None)
    orphan = client.get(f"/api/models/{publish_constant_model(1).pk}/").json()
    assert (orphan["parent"], orphan["run"], orphan["comparison"]) == (None, None, None)


def test_a_run_says_what_it_used_and_how_its_model_compares(client: Client) -> None:
    run = compared_run(WORSE, not_activated="It is worse.")
    shown = client.get(f"/api/runs/{run.pk}/").json()
    assert shown["base"] == Activation.current_model_id()
    assert shown["corrections"] == {"count": 14, "held_out": 6, "sha256": "ab" * 32}
    assert shown["not_activated"] == "It is worse."
    comparison = shown["comparison"]
    assert (comparison["champion"], comparison["challenger"]) == (run.base_id, run.model_id)
    assert len(comparison["objections"]) == 2
    counts = {key: value for key, value in WORSE[0].items() if not key.endswith("examples")}
    assert comparison["sets"][0] == counts | {"outcome": "worse"}, "without examples"
    assert [one["outcome"] for one in comparison["sets"]] == ["worse", "better", "equal"]
    page = client.get(f"{RUNS}{run.pk}/change/").content.decode()
    assert "14 learned, 6 held out" in page
    assert "It is worse." in page


def test_a_longer_list_of_compared_runs_takes_no_more_queries(client: Client, django_assert_max_num_queries) -> None:
    for digit in range(8):
        model = challenger(WORSE, digit)
        make_run(Status.COMPLETED, preset="adapt", model=model, base_id=Activation.current_model_id())
    with django_assert_max_num_queries(10):
        rows = client.get("/api/runs/").json()["results"]
    assert sum(row["comparison"] is not None for row in rows) == 8
    with django_assert_max_num_queries(8):
        rows = client.get("/api/models/").json()["results"]
    assert sum(row["comparison"] is not None for row in rows) == 8


def test_the_comparison_has_pictures_and_a_deleted_correction_is_skipped(client: Client, settings) -> None:
    run = compared_run(WORSE)
    path = f"/api/runs/{run.pk}/comparison/"
    (correction,) = add_corrections(1)
    row = Comparison.objects.get()
    row.examples["held_out"]["fixed_examples"][0]["correction"] = correction.pk
    row.save()
    mnist, held_out, _ = client.get(path).json()["sets"]
    assert mnist["broken"] == 60
    assert mnist["broken_examples"][0]["picture"].startswith("data:image/png;base64,")
    assert held_out["fixed_examples"][0]["correction"] == correction.pk
    settings.LOCAL = False
    visitor = Client(HTTP_HOST="localhost").get(path).json()["sets"]
    assert (visitor[1]["fixed_examples"], visitor[0]) == ([], mnist), "visitors of a public site see no corrections"
    settings.LOCAL = True
    correction.delete()
    assert client.get(path).json()["sets"][1]["fixed_examples"] == []
    shipped = TrainingRun.objects.get(worker="shipped")
    assert_refused(client.get(f"/api/runs/{shipped.pk}/comparison/"), 404, "no_comparison")
    assert_refused(client.get("/api/runs/999/comparison/"), 404, "not_found")


def test_the_admin_trains_again_on_the_same_corrections(client: Client) -> None:
    add_corrections(20)
    first = client.post("/api/retrain_model/", {"preset": "adapt"}, content_type=JSON).json()["run"]
    run = TrainingRun.objects.get(pk=first)
    assert run.end_queued(Status.INTERRUPTED)
    add_corrections(5, first=40)
    url = f"{RUNS}{first}/act/train_on_same/"
    assert "is queued" in confirm(client, url)
    again = TrainingRun.objects.active().get()
    assert again.corrections.sha256 == run.corrections.sha256
    assert again.end_queued(Status.INTERRUPTED)
    first_id = run.corrections.entries[0][0]
    type(add_corrections(1, first=90)[0]).objects.filter(pk=first_id).delete()
    assert "were deleted" in confirm(client, url)
    shipped = TrainingRun.objects.get(worker="shipped")
    assert "used no corrections" in text_of(client.get(f"{RUNS}{shipped.pk}/act/train_on_same/", follow=True))
