"""Runs that go on from an earlier one: what is accepted, refused and shown, and which checkpoints are kept."""

from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from recognition import registry
from recognition.deletion import delete_planned
from recognition.models import ObsoleteFile
from tests.support.admin_pages import RUNS, confirm, text_of
from tests.support.refusals import assert_refused
from tests.support.runs import PARAMETERS, claimed_run, make_run, retrain
from training.history.deletion import plan_runs
from training.learner.config import Config
from training.live.broadcast import RunProgress
from training.models import Status, TrainingRun
from training.worker import runner
from training.worker.kept_checkpoints import keep_checkpoint, place_checkpoint, replace_checkpoint
from training.worker.supervisor import ChildLost, ChildStopped

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


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


def stopped_run(
    monkeypatch: pytest.MonkeyPatch, preset: str = "original", raised: Exception | None = None, **values: Any
) -> TrainingRun:
    """A run that a worker has brought to its end: it was stopped after its first epoch."""

    def supervise(config: Config, progress: RunProgress, _: Any) -> Any:
        values = {"epoch": 1, "loss": 1.0, "accuracy": 0.5, "learning_rate": 0.001, "seconds": 1.0}
        assert progress.run.add_epoch(values)
        config.checkpoint(1).write_bytes(b"weights")
        raise raised or ChildStopped

    monkeypatch.setattr(runner, "supervise", supervise)
    run = TrainingRun.objects.create(preset=preset, parameters=PARAMETERS, **values)
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
    second = stopped_run(monkeypatch, continues=first)
    assert second.checkpoint
    assert not storages["models"].exists(first.checkpoint), "what a run goes on from is kept until that run's end"
    assert storages["models"].listdir("checkpoints")[0] == folders


def look_at_the_end(monkeypatch: pytest.MonkeyPatch, method: str) -> list[TrainingRun]:
    """Return a list that gets each run's row as it is just before this method writes the run's end."""
    rows: list[TrainingRun] = []
    write = getattr(TrainingRun, method)

    def look_and_write(run: TrainingRun, *words: Any, **values: Any) -> Any:
        rows.append(TrainingRun.objects.get(pk=run.pk))
        return write(run, *words, **values)

    monkeypatch.setattr(TrainingRun, method, look_and_write)
    return rows


def test_a_run_can_be_continued_from_the_moment_of_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that polls sees the end as soon as it is committed, and asks at once."""
    seen = look_at_the_end(monkeypatch, "finish")
    run = stopped_run(monkeypatch)
    assert [row.checkpoint for row in seen] == [run.checkpoint]
    assert storages["models"].exists(run.checkpoint)


def test_a_run_that_is_stopped_while_its_process_is_lost_can_be_continued_too(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = look_at_the_end(monkeypatch, "requeue_or_end")
    run = stopped_run(monkeypatch, raised=ChildLost("killed"), stop_requested_at=timezone.now())
    assert [row.checkpoint for row in seen] == [run.checkpoint]
    assert run.checkpoint


def test_storage_that_hangs_costs_no_run_its_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    """No heartbeat comes meanwhile, and the model is stored next, so one comes before and after."""
    at_the_end, at_storing = look_at_the_end(monkeypatch, "finish"), []
    store = registry.store

    def store_slowly(*words: Any) -> str:
        at_storing.append(TrainingRun.objects.get())
        TrainingRun.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=9))
        return store(*words)

    monkeypatch.setattr(registry, "store", store_slowly)
    began = timezone.now()
    stopped_run(monkeypatch)
    assert len(at_storing) == len(at_the_end) == 1
    assert all(run.heartbeat_at and run.heartbeat_at > began for run in at_storing + at_the_end)


def test_naming_a_checkpoint_can_be_repeated_although_another_attempt_has_begun() -> None:
    """The answer to the first commit was lost, and with it the claim."""
    run = claimed_run()
    replace_checkpoint(run, "checkpoints/new.keras", "checkpoints/old.keras")
    TrainingRun.objects.filter(pk=run.pk).update(attempt=2)
    replace_checkpoint(run, "checkpoints/new.keras", "checkpoints/old.keras")
    assert set(ObsoleteFile.objects.values_list("name", flat=True)) == {"checkpoints/old.keras"}


def test_a_worker_that_was_late_keeps_no_checkpoint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its run was claimed again while it stored the file, which goes; so does one that a later epoch's replaces."""
    run = claimed_run()
    (tmp_path / "attempt-1").mkdir()
    for epoch in (1, 2):
        run.epochs.create(epoch=epoch, loss=1.0, accuracy=0.5, learning_rate=0.001, seconds=1.0)
        (tmp_path / "attempt-1" / f"epoch-{epoch:04}.keras").write_bytes(b"weights")
        keep_checkpoint(run, tmp_path)
        keep_checkpoint(run, tmp_path)  # once for each epoch
        run.refresh_from_db()
        assert run.checkpoint.endswith(f"_epoch-{epoch:04}.keras")
    assert ObsoleteFile.objects.count() == 1
    TrainingRun.objects.filter(pk=run.pk).update(attempt=2, checkpoint="")
    run.checkpoint = ""
    keep_checkpoint(run, tmp_path)
    run.refresh_from_db()
    assert run.checkpoint == ""
    assert ObsoleteFile.objects.count() == 2


def test_a_run_ends_properly_although_the_database_fails_around_its_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise DatabaseError("the disk is full")  # an OperationalError would be tried again for two minutes

    monkeypatch.setattr("training.worker.kept_checkpoints.replace_checkpoint", fail)
    monkeypatch.setattr(runner, "promote_next", fail)
    run = stopped_run(monkeypatch)
    assert f"the checkpoint of {run} is not kept" in caplog.text
    assert "failed" not in caplog.text
    assert not runner.folder_of(run).exists()
