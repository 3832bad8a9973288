"""Runs that wait for others to end, and runs that go on from an earlier one: what is accepted, refused and shown."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client

from recognition.deletion import delete_planned
from tests.support.admin_pages import RUNS, confirm, text_of
from tests.support.refusals import assert_refused
from tests.support.runs import make_run
from training.history.deletion import plan_runs
from training.models import Status, TrainingRun
from training.worker.kept_checkpoints import place_checkpoint
from training.worker.waiting import promote_next

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


def retrain(client: Client, **body: Any) -> Any:
    return client.post("/api/retrain_model/", json.dumps(body), content_type="application/json")


def stop(client: Client, run: int) -> Any:
    return client.post("/api/stop_training/", json.dumps({"run": run}), content_type="application/json")


def test_runs_wait_in_order_and_can_be_cancelled(client: Client) -> None:
    active = make_run(Status.IN_PROGRESS)
    waiting = [retrain(client, queue=True, preset="fast").json() for _ in range(3)]
    assert [run["queue_position"] for run in waiting] == [1, 2, 3]
    numbers = [run["run"] for run in waiting]
    assert client.get(f"/api/runs/{numbers[1]}/").json()["queue_position"] == 2
    answer = {"message": f"Run {numbers[0]} is cancelled.", "run": numbers[0]}
    assert stop(client, numbers[0]).json() == answer
    listed = client.get("/api/runs/", {"status": "waiting", "ordering": "id"}).json()["results"]
    assert [(run["id"], run["queue_position"]) for run in listed] == [(numbers[1], 1), (numbers[2], 2)]
    cancelled = client.get(f"/api/runs/{numbers[0]}/").json()
    assert (cancelled["status"], cancelled["stopped_via"], cancelled["queue_position"]) == ("cancelled", "api", None)
    active.refresh_from_db()
    assert active.status == Status.IN_PROGRESS
    assert_refused(stop(client, numbers[0]), 409, "run_mismatch")


def test_the_time_of_the_request_stays_when_a_run_waits_no_longer(client: Client) -> None:
    active = make_run(Status.IN_PROGRESS)
    number = retrain(client, queue=True).json()["run"]
    requested = client.get(f"/api/runs/{number}/").json()["queued_at"]
    TrainingRun.objects.filter(pk=active.pk).update(status=Status.COMPLETED)
    assert promote_next().pk == number
    run = client.get(f"/api/runs/{number}/").json()
    assert (run["status"], run["queued_at"]) == ("queued", requested)


def test_the_legacy_api_does_not_see_runs_that_wait(client: Client) -> None:
    ended = make_run(Status.INTERRUPTED)
    TrainingRun.objects.create(preset="fast", parameters=ended.parameters, status=Status.WAITING, seq=0)
    TrainingRun.objects.create(preset="fast", parameters=ended.parameters, status=Status.CANCELLED)
    assert client.get("/api/check_model_status/").json() == {"model_status": "interrupted"}
    assert client.get("/api/training_progress/").json() == {}
    assert client.post("/api/stop_training/").json()["code"] == "not_in_progress"


def test_without_the_word_queue_a_request_neither_waits_nor_overtakes(client: Client) -> None:
    active = make_run(Status.QUEUED)
    assert retrain(client, queue=True).status_code == 202
    answer = retrain(client)
    assert_refused(answer, 409, "run_active")
    assert answer.json()["run"] == active.pk
    TrainingRun.objects.filter(pk=active.pk).update(status=Status.COMPLETED)
    assert_refused(retrain(client), 409, "run_active")
    second = retrain(client, queue=True)
    assert (second.status_code, second.json()["queue_position"]) == (202, 2)


def test_no_more_than_the_limit_wait(client: Client, settings: Any) -> None:
    settings.QUEUE_LIMIT = 2
    assert retrain(client, queue=True).json() == {
        "message": "Model creation started",
        "run": TrainingRun.objects.last_number(),
        "queue_position": 0,
    }
    assert [retrain(client, queue=True).status_code for _ in range(3)] == [202, 202, 409]
    answer = retrain(client, queue=True)
    assert_refused(answer, 409, "queue_full")
    assert answer.json()["limit"] == 2
    assert_refused(retrain(client, queue="yes"), 400, "invalid_parameter")


def ended_run(with_checkpoint: bool = True, **values: Any) -> TrainingRun:
    """Add a run that was stopped after two of three epochs."""
    run = make_run(Status.INTERRUPTED, **values)
    if with_checkpoint:
        name = f"checkpoints/1-ab-{sha256(b'weights').hexdigest()}/epoch-0002.keras"
        run.checkpoint = storages["models"].save(name, ContentFile(b"weights"))
        run.save()
    return run


def test_a_run_that_goes_on_has_the_recipe_and_the_epochs_of_its_run(client: Client) -> None:
    earlier = ended_run(parameters={**make_run(Status.ERROR).parameters, "batch_size": 77, "seed": 9})
    answer = retrain(client, from_run=earlier.pk, epochs=5, name="Longer")
    assert answer.status_code == 202, answer.json()
    run, before = (client.get(f"/api/runs/{number}/").json() for number in (answer.json()["run"], earlier.pk))
    assert (run["continues"], run["max_epochs"], run["preset"]) == (earlier.pk, 5, "original")
    assert run["parameters"] == before["parameters"] | {"epochs": 5}
    assert run["epochs"] == before["epochs"]
    assert delete_planned(lambda: plan_runs([earlier.pk]), all_runs=TrainingRun.objects.all()).runs == ()
    TrainingRun.objects.filter(pk=run["id"]).update(status=Status.COMPLETED)
    delete_planned(lambda: plan_runs([earlier.pk]), all_runs=TrainingRun.objects.all())
    assert client.get(f"/api/runs/{run['id']}/").json()["continues"] is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"batch_size": 64}, "batch_size"),
        ({"preset": "fast"}, "preset"),
        ({"seed": 1}, "seed"),
        ({"epochs": 2}, "epochs"),
        ({"from_run": 10**9}, "from_run"),
        ({"from_run": 0}, "from_run"),
    ],
)
def test_a_run_that_goes_on_keeps_its_recipe(client: Client, changes: dict[str, Any], field: str) -> None:
    answer = retrain(client, **{"from_run": ended_run().pk, **changes})
    assert_refused(answer, 400, "invalid_parameter")
    assert answer.json()["field"] == field


def test_the_admin_continues_a_run_whose_checkpoint_is_kept(admin_client: Client) -> None:
    earlier = ended_run()
    page, question = f"{RUNS}{earlier.pk}/change/", f"{RUNS}{earlier.pk}/act/continue/"
    assert question in admin_client.get(page).content.decode()
    asked = admin_client.get(question)
    assert f"goes on after epoch 2 of run {earlier.pk}" in text_of(asked)
    assert 'name="epochs" value="3"' in asked.content.decode(), "its own number, as it finished fewer"
    assert "has finished 2. Give a larger number" in confirm(admin_client, question, epochs=2)
    confirm(admin_client, question, epochs=5)
    run = TrainingRun.objects.newest()
    assert run
    assert (run.continues, run.parameters["epochs"], run.epochs.count()) == (earlier, 5, 2)
    assert LogEntry.objects.get(object_id=run.pk).get_change_message() == f"Continues run {earlier.pk}."


@pytest.mark.parametrize("values", [{"with_checkpoint": False}, {"preset": "adapt"}])
def test_the_admin_says_what_cannot_be_continued(admin_client: Client, values: dict[str, Any]) -> None:
    run = ended_run(**values)
    assert "/act/continue/" not in admin_client.get(f"{RUNS}{run.pk}/change/").content.decode()
    question = admin_client.get(f"{RUNS}{run.pk}/act/continue/", follow=True)
    assert "cannot be continued" in text_of(question)


def test_what_cannot_be_continued_says_so(client: Client) -> None:
    assert_refused(retrain(client, from_run=ended_run(with_checkpoint=False).pk), 409, "no_checkpoint")
    assert_refused(retrain(client, from_run=make_run(Status.IN_PROGRESS).pk, queue=True), 409, "no_checkpoint")
    adapted = ended_run(preset="adapt")
    assert_refused(retrain(client, from_run=adapted.pk), 400, "invalid_parameter")


@pytest.mark.parametrize("harm", ["none", "removed", "altered"])
def test_a_checkpoint_that_is_not_what_was_kept_is_not_used(client: Client, tmp_path: Path, harm: str) -> None:
    earlier = ended_run()
    run = TrainingRun.objects.get(pk=retrain(client, from_run=earlier.pk).json()["run"])
    file = Path(storages["models"].path(earlier.checkpoint))
    if harm == "removed":
        file.unlink()
    elif harm == "altered":
        file.write_bytes(b"weights of another run")
    place_checkpoint(run, tmp_path)
    placed = [path.read_bytes() for path in tmp_path.rglob("*.keras")]
    assert placed == ([b"weights"] if harm == "none" else []), "without one it starts over"
