"""Runs that wait for others to end, and runs that go on from an earlier one: what is accepted, refused and shown."""

import json
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import OperationalError
from django.test import Client

from recognition.deletion import delete_planned
from tests.support.admin_pages import RUNS, confirm, text_of
from tests.support.refusals import assert_refused
from tests.support.runs import PARAMETERS, make_run
from training.history.deletion import plan_runs
from training.learner.config import Config
from training.live.broadcast import RunProgress
from training.models import Status, TrainingRun
from training.worker import runner
from training.worker.kept_checkpoints import place_checkpoint
from training.worker.supervisor import ChildStopped
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


def ended_run(checkpoint: str = "checkpoints/1-{}-{}_epoch-0002.keras", **values: Any) -> TrainingRun:
    """Add a run that was stopped after two of three epochs, with a checkpoint unless its name is empty."""
    run = make_run(Status.INTERRUPTED, **values)
    if checkpoint:
        name = checkpoint.format(token_hex(4), sha256(b"weights").hexdigest())
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


@pytest.mark.parametrize("values", [{"checkpoint": ""}, {"preset": "adapt"}])
def test_the_admin_says_what_cannot_be_continued(admin_client: Client, values: dict[str, Any]) -> None:
    run = ended_run(**values)
    assert "/act/continue/" not in admin_client.get(f"{RUNS}{run.pk}/change/").content.decode()
    question = admin_client.get(f"{RUNS}{run.pk}/act/continue/", follow=True)
    assert "cannot be continued" in text_of(question)


def test_what_cannot_be_continued_says_so(client: Client) -> None:
    assert_refused(retrain(client, from_run=ended_run(checkpoint="").pk), 409, "no_checkpoint")
    assert_refused(retrain(client, from_run=make_run(Status.IN_PROGRESS).pk, queue=True), 409, "no_checkpoint")
    adapted = ended_run(preset="adapt")
    assert_refused(retrain(client, from_run=adapted.pk), 400, "invalid_parameter")


@pytest.mark.parametrize("name", ["checkpoints/1-{}-{}/epoch-0002.keras", "checkpoints/1-{}-{}_epoch-0002.keras"])
def test_a_checkpoint_is_found_by_the_next_attempt(client: Client, tmp_path: Path, name: str) -> None:
    run = TrainingRun.objects.get(pk=retrain(client, from_run=ended_run(name).pk).json()["run"])
    place_checkpoint(run, tmp_path)
    assert (tmp_path / "attempt-0" / "epoch-0002.keras").read_bytes() == b"weights"


@pytest.mark.parametrize("harm", ["removed", "altered", "forgotten"])
def test_a_run_whose_checkpoint_is_gone_ends_and_says_so(client: Client, harm: str) -> None:
    earlier = ended_run()
    number = retrain(client, from_run=earlier.pk).json()["run"]
    file = Path(storages["models"].path(earlier.checkpoint))
    if harm == "removed":
        file.unlink()
    elif harm == "altered":
        file.write_bytes(b"weights of another run")
    else:
        TrainingRun.objects.filter(pk=earlier.pk).update(checkpoint="")
    runner.execute(number)
    run = client.get(f"/api/runs/{number}/").json()
    assert (run["status"], run["error_code"]) == ("error", "no_checkpoint")
    assert f"Run {earlier.pk} cannot be continued" in run["error"]


def stopped_run(monkeypatch: pytest.MonkeyPatch, preset: str = "original") -> TrainingRun:
    """A run that a worker has brought to its end: it was stopped after its first epoch."""

    def supervise(config: Config, progress: RunProgress, _: Any) -> Any:
        values = {"epoch": 1, "loss": 1.0, "accuracy": 0.5, "learning_rate": 0.001, "seconds": 1.0}
        assert progress.run.add_epoch(values)
        config.checkpoint(1).write_bytes(b"weights")
        raise ChildStopped

    monkeypatch.setattr(runner, "supervise", supervise)
    run = TrainingRun.objects.create(preset=preset, parameters=PARAMETERS)
    runner.execute(run.pk)
    run.refresh_from_db()
    assert run.status == Status.INTERRUPTED
    return run


def test_checkpoints_of_what_can_be_continued_are_kept_without_empty_folders(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.CHECKPOINTS_KEPT = 1
    first = stopped_run(monkeypatch)
    assert not stopped_run(monkeypatch, preset="adapt").checkpoint
    first.refresh_from_db()
    assert storages["models"].open(first.checkpoint).read() == b"weights"
    folders = storages["models"].listdir("checkpoints")[0]
    assert stopped_run(monkeypatch).checkpoint
    assert not storages["models"].exists(first.checkpoint)
    assert storages["models"].listdir("checkpoints")[0] == folders


def test_a_run_ends_properly_although_the_database_fails_after_its_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise OperationalError("the connection is lost")

    monkeypatch.setattr("training.worker.kept_checkpoints.forget_old_checkpoints", fail)
    monkeypatch.setattr(runner, "promote_next", fail)
    run = stopped_run(monkeypatch)
    assert f"the checkpoint of {run} is not kept" in caplog.text
    assert "failed" not in caplog.text
    assert not runner.folder_of(run).exists()
