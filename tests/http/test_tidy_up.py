"""Runs and models that nothing needs are deleted, by command and in the admin; what is needed stays, and says why."""

import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.models import Permission, User
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from recognition import registry
from recognition.deletion import delete_planned, plan_models, remove_files
from recognition.errors import ModelRejected, StorageUnavailable
from recognition.models import Activation, Comparison, ModelVersion, ObsoleteFile
from tests.support.admin_pages import MODELS, RUNS, superuser_client, text_of  # noqa: F401
from tests.support.constant_models import constant_model, predicted_in_service, publish_constant_model
from tests.support.corrections import pending_correction
from tests.support.runs import make_run
from training.history.deletion import plan_runs
from training.models import Epoch, Status, TrainingRun

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


def files_of(model: ModelVersion) -> list[str]:
    return [file.name for file in (model.file, model.keras_file) if file]


def exist(*names: str) -> list[bool]:
    return [storages["models"].exists(name) for name in names]


def trained(digit: int, days_ago: float = 0, base: ModelVersion | None = None, **values: Any) -> TrainingRun:
    """A completed run and its model, which answers `digit`."""
    content = constant_model(digit)
    model = registry.publish(content, test_accuracy=0.1 * digit, keras_content=b"weights", parent=base)
    run = make_run(Status.COMPLETED, model=model, base=base, **values)
    then = timezone.now() - timedelta(days=days_ago)
    TrainingRun.objects.filter(pk=run.pk).update(queued_at=then, finished_at=then)
    return run


def command(*words: str) -> str:
    out = StringIO()
    call_command("delete_runs", *words, "--no-input", stdout=out)
    return out.getvalue()


def remaining(*runs: TrainingRun) -> list[bool]:
    kept = set(TrainingRun.objects.values_list("pk", flat=True))
    return [run.pk in kept for run in runs]


def test_old_runs_go_with_their_models_and_files_and_the_newest_stay(
    shipped: None, django_capture_on_commit_callbacks: Any
) -> None:
    runs = [trained(digit, days_ago=10 * digit) for digit in (4, 3, 2, 1)]  # the oldest first
    failed = make_run(Status.ERROR)
    names = [files_of(run.model) for run in runs]
    assert "Would delete" in command("--older-than", "15", "--dry-run")
    assert command("--keep", "99") == "No run to delete.\n"
    with django_capture_on_commit_callbacks(execute=True):
        said = command("--older-than", "15", "--keep", "3")  # the three newest: failed, 10 and 20 days ago
    assert said.splitlines()[-1] == (
        f"Deleted runs {runs[0].pk} and {runs[1].pk} and models {runs[0].model_id} and {runs[1].model_id}."
    )
    assert remaining(*runs, failed) == [False, False, True, True, True]
    assert not Epoch.objects.filter(run__in=[run.pk for run in runs[:2]]).exists()
    assert [exist(*pair) for pair in names] == [[False, False]] * 2 + [[True, True]] * 2
    assert not ObsoleteFile.objects.exists()
    command("--keep", "0")
    assert TrainingRun.objects.count() == 1, "the shipped run"
    for words in ((), ("--older-than", "-1"), ("--keep", "-1")):
        with pytest.raises(CommandError):
            command(*words)


def test_what_is_needed_stays_and_says_why(shipped: None) -> None:
    first = TrainingRun.objects.get()
    old, before, serving = trained(1), trained(2), trained(3)
    for run in (old, before, serving):
        registry.activate(run.model)
    adapted = trained(4, base=old.model)
    active = make_run(Status.IN_PROGRESS, base=adapted.model)
    numbers = [run.pk for run in (first, old, before, serving, adapted, active)]
    plan = plan_runs(numbers)
    assert plan.runs == (old.pk, adapted.pk)
    assert plan.models == (old.model_id,), "both runs that need it go"
    assert plan.kept == (
        f"Run {first.pk} stays (shipped with Digits).",
        f"Run {before.pk} stays (its model is needed to roll back).",
        f"Run {serving.pk} stays (its model is in service).",
        f"Run {active.pk} stays (it is in progress).",
        f"Model {adapted.model_id} stays (run {active.pk} began with it).",
    )
    kept = plan_models([run.model_id for run in (first, old, before, serving, adapted)])
    assert kept.models == ()
    assert f"Model {old.model_id} stays (run {adapted.pk} began with it)." in kept.kept
    delete_planned(lambda: plan_runs(numbers), all_runs=TrainingRun.objects.all())
    adapted.model.refresh_from_db()
    assert adapted.model.parent is None, "its lineage ends here"
    active.end_queued(Status.INTERRUPTED)
    TrainingRun.objects.filter(pk=active.pk).update(status=Status.INTERRUPTED)
    assert plan_runs([active.pk]).models == (adapted.model_id,), "the run that needed it was the last"


def test_a_roll_back_steps_over_deleted_models(shipped: None) -> None:
    models = {digit: publish_constant_model(digit) for digit in (1, 2, 3, 4)}
    for digit in (1, 2, 1, 3, 4):
        registry.activate(models[digit])
    delete_planned(lambda: plan_models([models[2].pk]))
    assert [predicted_in_service(), *(registry.roll_back() and predicted_in_service() for _ in range(2))] == [4, 3, 1]
    assert Activation.current().previous.model.runs.exists(), "next comes the shipped model, not the same one again"
    with pytest.raises(ModelRejected, match="was deleted"), pytest.MonkeyPatch.context() as patch:
        patch.setattr("recognition.registry.Classifier.load", lambda model: None)  # read before the deletion
        registry.activate(models[2])


def test_corrections_and_runs_outlive_their_model(shipped: None, django_capture_on_commit_callbacks: Any) -> None:
    run, champion = trained(5), Activation.current().model
    registry.compare(champion, run.model, [])
    correction = pending_correction(model=run.model)
    delete_planned(lambda: plan_models([run.model.pk]))
    for row in (run, correction):
        row.refresh_from_db()
        assert row.model is None
    assert not Comparison.objects.exists()
    client = Client(HTTP_HOST="localhost")
    body = client.get(f"/api/runs/{run.pk}/").json()
    assert (body["model"], body["status"]) == (None, "completed")
    assert client.get(f"/api/runs/{run.pk}/comparison/").status_code == 404
    TrainingRun.objects.filter(pk=run.pk).delete()
    assert "Page not found." in client.get(f"/runs/{run.pk}/", HTTP_ACCEPT="text/html").content.decode()


def test_files_that_a_crash_or_an_absent_bucket_left_behind_are_removed_by_the_next_command(
    shipped: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = publish_constant_model(6)
    (name,) = files_of(model)
    delete_planned(lambda: plan_models([model.pk]))  # killed after the commit: nothing of `on_commit` has run
    again = publish_constant_model(6)
    assert files_of(again) != [name], "a removal that comes late does not meet the file of the new version"
    with monkeypatch.context() as patch:

        def refuse(*_: Any) -> None:
            raise StorageUnavailable

        patch.setattr(type(storages["models"]), "delete", refuse)
        assert remove_files() == 0
    assert exist(name) == [True]
    assert command("--keep", "99") == "No run to delete.\n"
    assert exist(name, *files_of(again)) == [False, True]
    ObsoleteFile.objects.create(name=again.file.name)
    assert remove_files() == 0
    assert exist(again.file.name) == [True], "never the file of a registered model"


def page_of(client: Client, runs: list[TrainingRun]) -> dict[str, Any]:
    """Choose "Delete" from the list's menu; return what the button of the page sends."""
    fields = {"action": "delete_selected", "_selected_action": [run.pk for run in runs]}
    html = client.post(RUNS, fields).content.decode()
    assert "No, take me back" in html
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html)
    return {name: [value for key, value in found if key == name] for name, _ in found}


def test_several_runs_are_deleted_in_the_admin_once_and_logged(client: Client) -> None:
    runs = [trained(digit) for digit in (1, 2, 3)]
    registry.activate(runs[2].model)
    asked = text_of(client.post(RUNS, {"action": "delete_selected", "_selected_action": [run.pk for run in runs]}))
    models = f"Models {runs[0].model_id} and {runs[1].model_id}, which nothing else needs, will be deleted too."
    for sentence in (
        f"Runs {runs[0].pk} and {runs[1].pk} will be deleted, with epochs and test predictions.",
        models,
        f"Run {runs[2].pk} stays (its model is in service).",
        "This cannot be undone.",
    ):
        assert sentence in asked
    assert remaining(*runs) == [True] * 3, "asked first"
    fields = page_of(client, runs)
    registry.activate(runs[0].model)
    assert "Nothing was done, because something changed" in text_of(client.post(RUNS, fields))
    assert remaining(*runs) == [True] * 3
    fields = page_of(client, runs)
    said = text_of(client.post(RUNS, fields, follow=True))
    assert f"Deleted run {runs[1].pk} and model {runs[1].model_id}." in said, "the third one is needed to roll back"
    assert remaining(*runs) == [True, False, True]
    assert "Nothing was deleted." in text_of(client.post(RUNS, fields, follow=True)), "a double click"
    entries = LogEntry.objects.filter(action_flag=DELETION).values_list("user__username", "object_repr")
    assert set(entries) == {("admin", f"run {runs[1].pk}"), ("admin", f"model {runs[1].model_id}")}


def test_one_model_is_deleted_from_its_page(client: Client) -> None:
    run = trained(7)
    page = f"{MODELS}{run.model_id}/"
    assert f'href="{page}delete/"' in client.get(f"{page}change/").content.decode()
    asked = client.get(f"{page}delete/").content.decode()
    assert f"Model {run.model_id} will be deleted, with files, comparisons and daily statistics." in asked
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', asked))
    assert f"Deleted model {run.model_id}." in text_of(client.post(f"{page}delete/", fields, follow=True))
    assert client.post(f"{page}delete/", fields).status_code == 404
    assert remaining(run) == [True]
    serving = f"{MODELS}{Activation.current_model_id()}/delete/"
    assert f"Model {Activation.current_model_id()} stays (in service)." in text_of(client.get(serving, follow=True))


def test_without_the_permission_for_models_they_stay(shipped: None) -> None:
    run, eve = trained(8), User.objects.create_user("eve", is_staff=True)
    names = ("view_trainingrun", "delete_trainingrun")
    eve.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client(HTTP_HOST="localhost")
    client.force_login(eve)
    assert client.get(f"{MODELS}{run.model_id}/delete/").status_code == 403
    fields = page_of(client, [run])
    assert f"Deleted run {run.pk}." in text_of(client.post(RUNS, fields, follow=True))
    assert ModelVersion.objects.filter(pk=run.model_id).exists()
    eve.user_permissions.clear()
    assert client.post(RUNS, fields).status_code == 403
