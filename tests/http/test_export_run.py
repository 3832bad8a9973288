"""manage.py export_run: what it refuses, and exports that were interrupted."""

import io
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from recognition.models import ModelVersion
from tests.support.constant_models import publish_constant_model
from tests.support.runs import make_run
from training.models import Status, TrainingRun

pytestmark = pytest.mark.django_db


def export(*words: object, **options: bool) -> str:
    output = io.StringIO()
    call_command("export_run", *map(str, words), stdout=output, **options)
    return output.getvalue()


def refused(*words: object) -> str:
    with pytest.raises(CommandError) as error:
        export(*words)
    return str(error.value)


@pytest.fixture
def run(db: None) -> TrainingRun:
    confusion = [[1000 * (row == column) for column in range(10)] for row in range(10)]
    values = {"model": publish_constant_model(3), "confusion": confusion, "test_accuracy": 0.5}
    return make_run(Status.COMPLETED, **values)


def test_what_cannot_be_exported_is_refused_before_anything_is_written(run: TrainingRun, tmp_path: Path) -> None:
    failed, active = make_run(Status.ERROR, error_code="diverged"), make_run(Status.IN_PROGRESS)
    target = ("--to", "tensorboard", tmp_path)
    assert refused(run.pk, "--to", "wandb", tmp_path) == 'Unknown tracker "wandb". Use tensorboard or mlflow.'
    assert refused(run.pk, active.pk + 1, *target) == f"There is no run {active.pk + 1}."
    assert refused(10**30, *target) == f"There is no run {10**30}."
    assert refused(run.pk, active.pk, *target) == f"Run {active.pk} is in progress. Export it when it has ended."
    assert refused(run.pk, failed.pk, *target).startswith(f"Run {failed.pk} has no model. --without-model")
    assert not [*tmp_path.iterdir()]
    for words in ((), (run.pk,), ("one", *target), (run.pk, "--to", "mlflow")):
        refused(*words)
    export(run.pk, failed.pk, *target, without_model=True)
    assert {path.name for path in tmp_path.iterdir()} == {f"run-{run.pk}", f"run-{failed.pk}"}


def test_what_people_wrote_on_a_run_names_no_file(run: TrainingRun, tmp_path: Path) -> None:
    target = ("--to", "tensorboard", tmp_path / "board")
    for name in ("../../out", "a/b", "\u7b14" * 100, "renamed"):
        TrainingRun.objects.filter(pk=run.pk).update(name=name)
        export(run.pk, *target)
    assert [path.name for path in tmp_path.iterdir()] == ["board"]
    assert [path.name for path in (tmp_path / "board").iterdir()] == [f"run-{run.pk}"]
    assert len([*(tmp_path / "board").rglob("*tfevents*")]) == 1
    assert not [*(tmp_path / "board").rglob("draft*")]


def test_one_run_that_cannot_be_exported_does_not_keep_the_others(run: TrainingRun, tmp_path: Path) -> None:
    broken = make_run(Status.COMPLETED, model=publish_constant_model(5))
    Path(broken.model.file.path).unlink()
    assert refused(broken.pk, run.pk, "--to", "tensorboard", tmp_path).startswith(f"run {broken.pk}: ")
    assert [path.name for path in tmp_path.iterdir()] == [f"run-{run.pk}"]


def test_a_place_that_cannot_be_written_is_named(run: TrainingRun, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be written: " in refused(run.pk, "--to", "tensorboard", tmp_path / "file")
    folder = tmp_path / f"run-{run.pk}"
    folder.mkdir()
    (folder / "events.out.tfevents.1.elsewhere").write_text("")
    assert "has events of another run" in refused(run.pk, "--to", "tensorboard", tmp_path)
    Path(run.model.file.path).unlink()
    assert "cannot be read" in refused(run.pk, "--to", "tensorboard", tmp_path)


def test_a_server_that_does_not_answer_is_an_error_within_seconds(
    run: TrainingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    assert "MLflow cannot be written: " in refused(run.pk, "--to", "mlflow", "http://127.0.0.1:9")
    assert "MLflow cannot be written: " in refused(run.pk, "--to", "mlflow", "nonsense://x")
    assert "MLflow cannot be written: " in refused(run.pk, "--to", "mlflow", "http://[::1")
    with_password = refused(run.pk, "--to", "mlflow", "http://ada:sesame@127.0.0.1:9")
    assert "MLflow cannot be written: " in with_password
    assert "sesame" not in with_password


@pytest.mark.parametrize(("tracker", "package"), [("tensorboard", "tensorboardX"), ("mlflow", "mlflow.exceptions")])
def test_without_the_optional_package_the_command_says_what_to_install(
    run: TrainingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tracker: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert refused(run.pk, "--to", tracker, tmp_path).endswith(
        "pip install --require-hashes -r requirements-export.lock"
    )


def test_an_interrupted_export_is_written_again_and_a_stopped_run_is_killed(
    run: TrainingRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    from mlflow.tracking import MlflowClient

    store, stopped = f"file://{tmp_path}", make_run(Status.INTERRUPTED, epochs=2)
    monkeypatch.setattr(MlflowClient, "log_artifacts", lambda *_: (_ for _ in ()).throw(OSError("gone")))
    assert "gone" in refused(run.pk, "--to", "mlflow", store)
    monkeypatch.undo()
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    export(run.pk, stopped.pk, "--to", "mlflow", store, without_model=True)
    client = MlflowClient(store)
    found = client.search_runs([client.get_experiment_by_name("digits").experiment_id])
    assert {each.info.run_name: each.info.status for each in found} == {str(run): "FINISHED", str(stopped): "KILLED"}
    assert [each.step for each in client.get_metric_history(found[0].info.run_id, "epoch/loss")] == [1, 2]
    assert ModelVersion.objects.count() == 1
