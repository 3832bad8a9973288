"""The history as the API tells it: order, the digits behind a figure, a model's files, how long a run would take."""

import base64
import hashlib
import io
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from PIL import Image

from recognition.models import Activation
from tests.support.constant_models import publish_constant_model
from tests.support.refusals import assert_refused
from tests.support.runs import PARAMETERS, completed_run
from training import shipping
from training.learner import dataset
from training.learner.presets import PRESETS
from training.models import Status, TrainingRun
from training.worker import runner
from training.worker.supervisor import ChildFailed

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


ORDERINGS = {
    "-id": "dcba",
    "id": "abcd",
    "test_accuracy": "bacd",
    "-test_accuracy": "cabd",
    "epochs": "dcab",
    "-duration": "bcad",
    "duration": "acbd",
    "status": "cbad",
    "requested_by": "bdca",
}


def test_runs_are_sorted_and_those_without_a_value_come_last(client: Client) -> None:
    ada = User.objects.create_user("ada")
    runs = {
        "a": completed_run(10, 0.98, epochs=1),
        "b": completed_run(30, 0.97, epochs=2, requested_by=ada),
        "c": completed_run(20, 0.99),
        "d": completed_run(None, None, status=Status.ERROR),
    }
    names = {run.pk: name for name, run in runs.items()}
    for ordering, expected in ORDERINGS.items():
        answer = client.get("/api/runs/", {"ordering": ordering}).json()["results"]
        assert "".join(names[run["id"]] for run in answer) == expected, ordering


@pytest.mark.parametrize(
    ("field", "values"),
    [("ordering", ["password"]), ("include", ["", "confusion", "epochs,epochs", "Epochs"])],
)
def test_an_unknown_order_or_part_of_the_list_is_refused_by_name(client: Client, field: str, values: list[str]) -> None:
    for value in values:
        answer = client.get("/api/runs/", {field: value})
        assert answer.status_code == 400
        assert (answer.json()["code"], answer.json()["field"]) == ("invalid_parameter", field)


def shipped_run() -> TrainingRun:
    return TrainingRun.objects.get(worker="shipped")


def test_a_cell_of_the_confusion_matrix_holds_its_digits(client: Client, shipped: None) -> None:
    run = shipped_run()
    for label, predicted in ((4, 9), (7, 7), (0, 1)):
        cell = {"label": label, "predicted": predicted}
        answer = client.get(f"/api/runs/{run.pk}/digits/", cell | {"limit": 50}).json()
        count = run.confusion[label][predicted]  # type: ignore[index]
        assert answer["count"] == count
        assert len(answer["results"]) == min(count, 50)
        assert all(digit | cell == digit for digit in answer["results"])
        confidences = [digit["confidence"] for digit in answer["results"]]
        assert confidences == sorted(confidences, reverse=True)


def test_all_mistakes_are_reached_in_pages(client: Client, shipped: None) -> None:
    run = shipped_run()
    whole = client.get(f"/api/runs/{run.pk}/digits/", {"limit": 200}).json()
    assert (whole["next"], whole["previous"], len(whole["results"])) == (None, None, whole["count"])
    pages = [client.get(f"/api/runs/{run.pk}/digits/", {"limit": 7}).json()]
    assert pages[0]["previous"] is None
    while pages[-1]["next"]:
        pages.append(client.get(pages[-1]["next"]).json())
    assert len(pages) == -(-whole["count"] // 7)
    assert [digit for page in pages for digit in page["results"]] == whole["results"]
    assert client.get(pages[-1]["previous"]).json() == pages[-2]
    cell = client.get(f"/api/runs/{run.pk}/digits/", {"label": 4, "predicted": 4, "offset": 3, "limit": 2}).json()
    assert "label=4" in cell["next"]
    assert client.get(f"/api/runs/{run.pk}/digits/", {"offset": 10_000}).json()["results"] == []


def held_back(client: Client, **parameters: Any) -> tuple[int, int]:
    """Return how many digits a new run holds back, stored and shown."""
    answer = client.post("/api/retrain_model/", parameters, content_type="application/json")
    run = TrainingRun.objects.get(pk=answer.json()["run"])
    client.post("/api/stop_training/")
    return run.parameters["validation_samples"], client.get(f"/api/runs/{run.pk}/").json()["parameters"][
        "validation_samples"
    ]


def test_how_many_digits_are_held_back_is_the_presets_number_or_the_requests(client: Client, shipped: None) -> None:
    assert held_back(client) == (0, 0)
    assert held_back(client, validation_samples=10_000) == (10_000, 10_000)
    assert held_back(client, preset="fast", validation_samples=None) == (2_500, 2_500)
    assert held_back(client, preset="fast", validation_samples=0) == (0, 0)
    presets = {p["name"]: p["validation_samples"] for p in client.get("/api/presets/").json()["results"]}
    assert presets == {"original": 0, "fast": 2_500, "handwriting": 2_500, "adapt": 2_500}
    older = shipped_run()
    del older.parameters["validation_samples"]  # as in a run from before the parameter existed
    older.save(update_fields=["parameters"])
    assert client.get(f"/api/runs/{older.pk}/").json()["parameters"]["validation_samples"] == 2_500
    adapting = {"preset": "adapt", "validation_samples": 100}
    refused = client.post("/api/retrain_model/", adapting, content_type="application/json")
    assert_refused(refused, 400, "invalid_parameter")
    assert refused.json()["field"] == "validation_samples"


def test_without_a_cell_all_mistakes_come_the_surest_first_with_their_pictures(client: Client, shipped: None) -> None:
    run = shipped_run()
    answer = client.get(f"/api/runs/{run.pk}/digits/").json()
    assert answer["count"] == round(10_000 * (1 - run.test_accuracy))  # type: ignore[operator]
    assert all(digit["label"] != digit["predicted"] for digit in answer["results"])
    worst = answer["results"][0]
    assert worst["confidence"] == max(digit["confidence"] for digit in answer["results"])
    picture = Image.open(io.BytesIO(base64.b64decode(worst["picture"].removeprefix("data:image/png;base64,"))))
    images, labels = dataset.as_stored(shipping.FOLDER.parent / "mnist", "t10k")
    assert (np.asarray(picture) == images[worst["index"]]).all()
    assert labels[worst["index"]] == worst["label"]


def test_digits_that_cannot_be_shown_are_refused(client: Client, shipped: None, settings, tmp_path) -> None:
    path, without = f"/api/runs/{shipped_run().pk}/digits/", f"/api/runs/{completed_run(10).pk}/digits/"
    for query in (
        "label=10",
        "predicted=-1",
        "label=x",
        "limit=0",
        "limit=201",
        "offset=-1",
        "offset=10001",
        "offset=x",
    ):
        assert_refused(client.get(f"{path}?{query}"), 400, "invalid_parameter")
    assert_refused(client.get(without), 404, "no_predictions")
    settings.MNIST_DIR = tmp_path
    assert_refused(client.get(path), 503, "digits_unavailable")


def test_a_models_files_can_be_taken_away_where_it_has_them(client: Client, shipped: None) -> None:
    model = client.get("/api/models/").json()["results"][0]
    assert model["in_service"] is True
    onnx, keras = (client.get(model["files"][kind]) for kind in ("onnx", "keras"))
    assert hashlib.sha256(onnx.content).hexdigest() == model["sha256"]
    assert keras.content.startswith(b"PK"), "a Keras file is a zip archive"
    assert 'filename="digits-model-' in keras["Content-Disposition"]
    model = publish_constant_model(1)
    assert list(client.get(f"/api/models/{model.pk}/").json()["files"]) == ["onnx"]
    assert_refused(client.get(f"/api/models/{model.pk}/keras/"), 404, "no_file")
    assert_refused(client.get("/api/models/999/onnx/"), 404, "not_found")


def test_an_activation_names_who_asked_for_it(client: Client, shipped: None) -> None:
    """Who may activate a model is in access_matrix.txt."""
    ada = User.objects.create_superuser("ada")
    client.force_login(ada)
    answer = client.post(f"/api/models/{publish_constant_model(2).pk}/activate/")
    assert (answer.status_code, answer.json()["in_service"]) == (200, True)
    assert Activation.current().by == ada


def estimates(client: Client) -> dict[str, Any]:
    return {p["name"]: p["estimate"] for p in client.get("/api/presets/").json()["results"]}


def test_nothing_is_estimated_before_a_run_of_the_preset_on_this_machine(client: Client, shipped: None) -> None:
    """The shipped run has completed, but elsewhere."""
    assert estimates(client) == dict.fromkeys(PRESETS)
    completed_run(20, epochs=2, phase_seconds={"fitting": 14.0}, resumed_after_epoch=1)
    completed_run(20, epochs=2, phase_seconds={"fitting": 14.0}, resumed_after_epoch=0, status=Status.INTERRUPTED)
    assert estimates(client) == dict.fromkeys(PRESETS), "it measured only a part of the run"


def test_an_estimate_covers_drawing_and_every_epoch(client: Client) -> None:
    """Epochs take 14 or 21 s, pictures are drawn for 120 s, and the rest takes 8 s: figures of a real run."""
    fitting = sum(14.0 if epoch % 3 else 21.0 for epoch in range(60))
    parameters = PARAMETERS | {"epochs": 60, "samples": 60_000, "batch_size": 256}
    phases = {"importing": 5.0, "drawing": 120.0, "fitting": fitting, "exporting": 2.0}
    completed_run(
        fitting + 128, preset="handwriting", parameters=parameters, phase_seconds=phases, resumed_after_epoch=0
    )
    found = estimates(client)
    assert found["original"] is None, "another preset's digits cost something else"
    known = found["handwriting"]
    for samples, epochs in ((60_000, 60), (60_000, 20), (30_000, 60)):
        of_samples = known["seconds_per_sample"] + epochs * known["seconds_per_sample_epoch"]
        share = samples / 60_000
        expected = 8 + 120 * share + fitting * share * epochs / 60
        assert known["fixed_seconds"] + samples * of_samples == pytest.approx(expected, rel=0.01)


def test_what_the_first_epoch_alone_takes_is_not_multiplied(client: Client) -> None:
    """2,048 digits take 0.2 s an epoch, and TensorFlow 3 s before: a large run is not 15 times as slow."""
    run = completed_run(
        8.4, epochs=3, parameters=PARAMETERS | {"samples": 2048, "epochs": 3}, phase_seconds={"fitting": 3.6}
    )
    TrainingRun.objects.filter(pk=run.pk).update(resumed_after_epoch=0)
    run.epochs.update(seconds=0.2)
    run.epochs.filter(epoch=1).update(seconds=3.2)
    known = estimates(client)["original"]
    assert known["seconds_per_sample_epoch"] * 2048 == pytest.approx(0.2, rel=0.01)
    assert known["fixed_seconds"] == pytest.approx(8.4 - 0.6, abs=0.01)


def test_the_largest_run_with_the_presets_batch_size_is_the_measure(client: Client) -> None:
    def measured(fitting: float, **parameters: Any) -> None:
        phases = {"fitting": fitting}
        completed_run(fitting + 5, parameters=PARAMETERS | parameters, phase_seconds=phases, resumed_after_epoch=0)

    measured(30.0, samples=60_000, epochs=1)
    measured(9.0, samples=600, epochs=1)
    measured(900.0, samples=60_000, epochs=3, batch_size=4)
    assert estimates(client)["original"]["seconds_per_sample_epoch"] == pytest.approx(30 / 60_000)


def test_the_list_carries_epochs_only_when_asked(client: Client) -> None:
    run = completed_run(20, 0.98, epochs=3)
    listed = client.get("/api/runs/").json()["results"][0]
    assert "epochs" not in listed
    assert listed["finished_epochs"] == 3
    asked = client.get("/api/runs/?include=epochs").json()["results"][0]
    detail = client.get(f"/api/runs/{run.pk}/").json()
    assert [epoch["epoch"] for epoch in detail["epochs"]] == [1, 2, 3]
    assert asked == detail | {"finished_epochs": 3}
    assert listed == {name: value for name, value in asked.items() if name != "epochs"}


def test_a_longer_list_takes_no_more_queries(client: Client, django_assert_max_num_queries) -> None:
    for epochs in range(9):
        completed_run(20, 0.98, epochs=epochs)
    for query in ("", "?include=epochs"):
        with django_assert_max_num_queries(6):
            answer = client.get(f"/api/runs/{query}").json()["results"]
        assert [run["finished_epochs"] for run in answer] == list(range(8, -1, -1))


@pytest.mark.parametrize(
    ("code", "bad", "shown"), [("training_failed", "\ud800", "?"), ("runner_failed", "\0", "\ufffd")]
)
def test_a_run_that_fails_with_any_text_says_so_without_this_machines_folders(
    client: Client, settings, monkeypatch, code: str, bad: str, shown: str
) -> None:
    text = f"{bad} in {settings.DATA_DIR}/runs/1 and {settings.BASE_DIR}/training"
    error = ChildFailed(code, text, text) if code == "training_failed" else PermissionError(text)

    def supervise(*_: Any) -> None:
        raise error

    monkeypatch.setattr(runner, "supervise", supervise)
    run = TrainingRun.objects.create(preset="original", parameters=PARAMETERS)
    runner.execute(run.pk)
    answer = client.get(f"/api/runs/{run.pk}/").json()
    assert (answer["status"], answer["error_code"], answer["attempt"]) == ("error", code, 1)
    assert answer["error"].endswith(f"{shown} in runs/1 and training")
