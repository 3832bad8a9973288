"""Runs of the preset adapt: what each learns and is judged by, whatever happens to the corrections meanwhile."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from recognition import registry
from recognition.models import Correction, ModelVersion
from tests.support.accepted_corrections import add_corrections, manifest
from tests.support.constant_models import publish_constant_model
from tests.support.numpy_learner import slow_phase
from tests.support.refusals import assert_refused
from tests.support.shell import Shell
from tests.support.stack import HASTY_SECONDS, PATIENCE_SECONDS, Stack, eventually
from tests.support.watcher import Watcher
from training.learner.presets import PRESETS
from training.models import RunCorrections, Status, TrainingRun

pytestmark = pytest.mark.django_db
ADAPT = {"preset": "adapt", "activate": True}


def request(client: Client, **parameters: Any) -> Any:
    return client.post("/api/retrain_model/", ADAPT | parameters, content_type="application/json")


def requested(client: Client, **parameters: Any) -> TrainingRun:
    answer = request(client, **parameters)
    assert answer.status_code == 202, answer.content
    return TrainingRun.objects.get(pk=answer.json()["run"])


def end(run: TrainingRun, status: Status = Status.INTERRUPTED) -> None:
    assert run.end_queued(status)


@pytest.mark.postgres
def test_a_run_keeps_the_model_in_service_and_the_accepted_corrections(client: Client, shipped: None) -> None:
    accepted = add_corrections(24)
    add_corrections(5, first=50, state="pending")
    add_corrections(5, first=60, state="rejected")
    run = requested(client)
    assert run.base == ModelVersion.objects.get()
    used = run.corrections
    assert (used.count, used.held_out) == (16, 8)
    assert used.sha256 == manifest(accepted)
    assert used.entries == [[one.pk, one.label, one.held_out] for one in accepted]
    assert bytes(used.pictures) == b"".join(one.picture for one in accepted)


@pytest.mark.postgres
def test_too_few_accepted_corrections_are_refused_and_leave_no_run(client: Client, shipped: None) -> None:
    add_corrections(9)
    add_corrections(9, first=20, state="pending")
    before = TrainingRun.objects.count()
    body = assert_refused(request(client), 409, "too_few_corrections")
    assert (body["count"], body["needed"]) == (9, 10)
    assert (TrainingRun.objects.count(), RunCorrections.objects.count()) == (before, 0)


@pytest.mark.postgres
def test_without_a_model_to_begin_with_there_is_no_run(client: Client) -> None:
    add_corrections(12)
    assert_refused(request(client), 409, "no_model")
    registry.activate(publish_constant_model(3))  # it has no Keras file
    assert_refused(request(client), 409, "no_weights")
    assert not TrainingRun.objects.exists()


@pytest.mark.postgres
def test_a_run_is_repeated_on_the_same_corrections_with_the_same_labels(client: Client, shipped: None) -> None:
    accepted = add_corrections(20)
    first = requested(client)
    end(first)
    accepted[0].state, accepted[0].label = Correction.State.REJECTED, 8
    accepted[0].save()
    add_corrections(5, first=50)
    again = requested(client, corrections_of=first.pk)
    assert again.corrections.entries == first.corrections.entries
    assert again.corrections.sha256 == first.corrections.sha256
    assert bytes(again.corrections.pictures) == b"".join(one.picture for one in accepted)
    end(again)
    all_accepted = requested(client)
    assert len(all_accepted.corrections.entries) == 24
    end(all_accepted)
    accepted[5].delete()
    assert_refused(request(client, corrections_of=first.pk), 409, "corrections_gone")
    for number in (TrainingRun.objects.order_by("pk")[0].pk, 999, 0, "x", True):
        body = assert_refused(request(client, corrections_of=number), 400, "invalid_parameter")
        assert body["field"] == "corrections_of"
    body = assert_refused(request(client, preset="fast", corrections_of=first.pk), 400, "invalid_parameter")
    assert body["field"] == "corrections_of"


@pytest.mark.postgres
@pytest.mark.parametrize("status", [Status.INTERRUPTED, Status.ERROR])
def test_an_ended_run_forgets_the_pictures_and_keeps_the_manifest(
    client: Client, shipped: None, status: Status
) -> None:
    accepted = add_corrections(12)
    run = requested(client)
    end(run, status)
    used = RunCorrections.objects.get(run=run)
    assert (bytes(used.pictures), used.sha256, len(used.entries)) == (b"", manifest(accepted), 12)


@pytest.mark.postgres
def test_corrections_can_be_deleted_while_a_run_has_them(client: Client, shipped: None) -> None:
    accepted = add_corrections(12)
    run = requested(client)
    Correction.objects.all().delete()
    assert len(bytes(RunCorrections.objects.get(run=run).pictures)) == 12 * 784
    assert RunCorrections.objects.get(run=run).sha256 == manifest(accepted)


@pytest.mark.postgres
def test_a_visitor_may_train_it_where_training_is_open_for_no_longer_than_the_preset(
    client: Client, shipped: None, settings
) -> None:
    settings.LOCAL, settings.TRAINING_OPEN = False, True
    add_corrections(12)
    preset = PRESETS["adapt"]
    for field, value in (("epochs", preset.epochs + 1), ("samples", preset.samples + 1), ("batch_size", 1)):
        body = assert_refused(request(client, activate=False, **{field: value}), 400, "invalid_parameter")
        assert body["field"] == field
    assert_refused(request(client), 403, "permission_denied")  # it would put a model into service
    assert requested(client, activate=False).by_visitor
    settings.TRAINING_OPEN = False
    assert_refused(request(client, activate=False), 401, "not_authenticated")


# --- The running product. On PostgreSQL too: what is stored, and what happens at once. ---


class AdaptingStack(Stack):
    """The product, and a shell of it."""

    def start(self, worker: bool = True) -> None:
        super().start(worker)
        self.shell = Shell(self.environment)

    def close(self) -> None:
        self.shell.close()
        super().close()


@pytest.fixture(scope="module")
def module_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdaptingStack]:
    """With 60 accepted corrections, and a model in service that the stand-in learner can train further."""
    with closing(AdaptingStack(tmp_path_factory.mktemp("adapt"), RUN_LOST_SECONDS=str(HASTY_SECONDS))) as stack:
        stack.start()
        shell(stack, "add_corrections(60)")
        stack.ended(stack.train(samples=2000, epochs=1))
        shell(stack, "registry.activate(TrainingRun.objects.newest().model)")
        yield stack


@pytest.fixture
def adapting(module_stack: AdaptingStack) -> Iterator[Stack]:
    """The running product, which soon takes a run for lost."""
    yield from module_stack.whole_and_idle()


def shell(stack: AdaptingStack, code: str) -> str:
    """Run Python inside the product and return what it prints."""
    imports = (
        "from recognition import registry; from recognition.models import *; from training.models import *;"
        "from tests.support.accepted_corrections import add_corrections;"
    )
    return stack.shell.run(imports + code)


UNUSED = count(100, 100)  # rows of MNIST's training digits that are no corrections yet
LONG = {"preset": "adapt", "samples": 16000, "batch_size": 256, "epochs": 4, "seed": 5, "learning_rate": 0.0005}
SHORT = LONG | {"epochs": 2}  # for what only its end is looked at


@pytest.mark.stack
@pytest.mark.postgres
def test_a_whole_run_is_compared_with_the_model_that_it_began_with(adapting: AdaptingStack) -> None:
    champion = in_service(adapting)
    run = adapting.ended(adapting.train(**SHORT))
    assert (run["status"], run["base"], run["in_service"]) == ("completed", champion["id"], False), run
    assert (run["corrections"]["count"], run["corrections"]["held_out"]) == (40, 20)
    comparison = run["comparison"]
    assert (comparison["champion"], comparison["challenger"]) == (champion["id"], run["model"])
    mnist, held_out, _ = comparison["sets"]
    assert mnist["count"] == mnist["both_right"] + mnist["fixed"] + mnist["broken"] + mnist["both_wrong"] == 10_000
    assert held_out["count"] == 18, "a third of 60, without the two of no digit"
    before, after = mnist["fixed"] + mnist["both_wrong"], mnist["broken"] + mnist["both_wrong"]
    assert 1 - before / 10_000 == pytest.approx(champion["test_accuracy"], abs=1e-4), "the champion's own weights"
    assert 1 - after / 10_000 == pytest.approx(run["test_accuracy"], abs=1e-4)
    model = adapting.http.get(f"/api/models/{run['model']}/").json()
    assert (model["parent"], model["run"], model["comparison"]) == (champion["id"], run["id"], comparison)
    kept = shell(adapting, f"c = RunCorrections.objects.get(run={run['id']}); print(len(c.pictures), len(c.entries))")
    assert kept.split() == ["0", "60"], "the pictures are forgotten, the manifest is kept"


@pytest.mark.stack
def test_a_run_killed_in_its_middle_ends_as_an_unbroken_one_on_the_same_corrections(adapting: AdaptingStack) -> None:
    """First its training process is killed, then its worker."""
    whole = adapting.ended(adapting.train(**LONG))
    with slow_phase(adapting.folder, "evaluating"):  # neither attempt completes it, however late it is killed
        number = adapting.train(**LONG, corrections_of=whole["id"])
        adapting.begun(number, 1)
        adapting.training_child().kill()
        adapting.begun(number, 2)
        eventually(lambda: adapting.run(number)["attempt"] == 2, PATIENCE_SECONDS, "attempt 2")
        adapting.launch_worker("another")  # before the first is killed: nobody waits long for a worker here
        eventually(lambda: " ready." in adapting.log("another"), PATIENCE_SECONDS, "the other worker")
        adapting.kill("worker")
        adapting.processes["worker"] = adapting.processes.pop("another")
    shell(
        adapting,
        f"add_corrections(60, first={next(UNUSED)});"
        "Correction.objects.filter(pk__in=Correction.objects.order_by('pk')[:30]).update(label=1);"
        "Correction.objects.filter(pk__in=Correction.objects.order_by('pk')[30:60]).delete()",
    )
    broken = adapting.ended(number)
    shell(adapting, "Correction.objects.filter(label=1).delete()")  # the next tests want right labels
    assert (broken["status"], broken["attempt"]) == ("completed", 3), broken
    assert broken["corrections"] == whole["corrections"]
    assert broken["model"] == whole["model"], "the same bytes are the same model"
    assert broken["comparison"] == whole["comparison"]
    without = {"seconds"}
    epochs = [[{k: v for k, v in e.items() if k not in without} for e in run["epochs"]] for run in (whole, broken)]
    assert epochs[0] == epochs[1]


def in_service(stack: Stack) -> dict[str, Any]:
    models = stack.http.get("/api/models/").json()["results"]
    return next(model for model in models if model["in_service"])


@pytest.mark.stack
def test_a_worse_model_stays_out_of_service_and_the_run_says_why(adapting: AdaptingStack) -> None:
    champion = in_service(adapting)
    harmful = {"samples": 16, "batch_size": 16, "epochs": 2, "learning_rate": 0.5, "seed": 1}
    run = adapting.ended(adapting.train(preset="adapt", activate=True, **harmful))
    assert (run["status"], run["in_service"]) == ("completed", False)
    assert "It is significantly worse on MNIST's test digits" in run["not_activated"]
    assert run["not_activated"] == " ".join(run["comparison"]["objections"])
    assert in_service(adapting)["id"] == champion["id"]


@pytest.mark.stack
@pytest.mark.postgres
def test_a_champion_that_changed_during_the_run_is_not_replaced(adapting: AdaptingStack) -> None:
    champion = in_service(adapting)
    with slow_phase(adapting.folder, "evaluating"):
        number = adapting.train(**LONG | {"activate": True, "seed": 7})
        adapting.begun(number, 1)
        shell(adapting, "registry.activate(ModelVersion.objects.order_by('pk')[0])")
    run = adapting.ended(number)
    shell(adapting, f"registry.activate(ModelVersion.objects.get(pk={champion['id']}))")
    assert (run["status"], run["in_service"], run["base"]) == ("completed", False, champion["id"])
    assert run["not_activated"].startswith("Another model went into service during the run")


@pytest.mark.stack
def test_a_model_that_the_comparison_allows_goes_into_service(adapting: AdaptingStack) -> None:
    champion = in_service(adapting)
    run = adapting.ended(adapting.train(**SHORT | {"activate": True, "seed": 6}))
    assert (run["in_service"], run["not_activated"], run["comparison"]["objections"]) == (True, "", []), run
    assert in_service(adapting)["parent"] == champion["id"]


@pytest.mark.stack
@pytest.mark.parametrize("when", ["queued", "fitting"])
def test_a_stopped_run_keeps_its_manifest_and_leaves_the_model_in_service(adapting: AdaptingStack, when: str) -> None:
    champion = in_service(adapting)
    if when == "queued":
        adapting.kill("worker", signal.SIGTERM)
    number = adapting.train(**LONG | {"epochs": 30})  # it is stopped long before
    if when == "fitting":
        adapting.begun(number, 1)
    assert adapting.http.post("/api/stop_training/").status_code == 200
    run = adapting.ended(number)
    assert (run["status"], run["model"], run["comparison"]) == ("interrupted", None, None)
    assert run["corrections"]["count"] > 0
    kept = shell(adapting, f"c = RunCorrections.objects.get(run={number}); print(len(c.pictures), len(c.entries) > 0)")
    assert kept.split() == ["0", "True"]
    assert in_service(adapting)["id"] == champion["id"]


@pytest.mark.stack
def test_a_base_whose_keras_file_is_gone_ends_the_run_with_a_code(adapting: AdaptingStack) -> None:
    champion = in_service(adapting)
    path = Path(shell(adapting, f"print(ModelVersion.objects.get(pk={champion['id']}).keras_file.path)").strip())
    away = path.rename(path.with_suffix(".away"))
    try:
        run = adapting.ended(adapting.train(**LONG))
    finally:
        away.rename(path)
    assert (run["status"], run["error_code"], run["model"]) == ("error", "no_file", None)
    assert run["error"]


@pytest.mark.stack
@pytest.mark.postgres
def test_of_simultaneous_requests_one_gets_the_run_and_only_its_corrections_are_kept(adapting: AdaptingStack) -> None:
    before = int(shell(adapting, "print(RunCorrections.objects.count())"))
    adapting.pause("worker")  # which would end the run before the last request
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: adapting.http.post("/api/retrain_model/", json=LONG), range(20)))
    (number,) = [answer.json()["run"] for answer in answers if answer.status_code == 202]
    others = [answer.json() for answer in answers if answer.status_code == 409]
    assert [(one["code"], one["run"]) for one in others] == [("run_active", number)] * 19
    assert int(shell(adapting, "print(RunCorrections.objects.count())")) == before + 1


@pytest.mark.stack
def test_a_run_that_stops_gaining_ends_before_its_last_epoch(adapting: AdaptingStack) -> None:
    with slow_phase(adapting.folder, "evaluating"), closing(Watcher(adapting.ws_url)) as watcher:
        number = adapting.train(preset="adapt", epochs=30, samples=16, batch_size=16, learning_rate=0.5, seed=1)
        adapting.begun(number, 4)
        phases = lambda: [one["phase"] for one in watcher.of("phase")]  # noqa: E731
        eventually(lambda: "evaluating" in phases(), PATIENCE_SECONDS, "the evaluation")
        full = lambda: (one := progress_of(adapting))["percentage"] == 100 and one  # noqa: E731
        progress = eventually(full, 10, "the whole progress")
        assert 4 <= progress["epoch"] < progress["max_epochs"] == 30
    adapting.training_child().kill()  # it would wait for a minute; the next attempt has no epoch left to train
    run = adapting.ended(number)
    assert (run["status"], len(run["epochs"])) == ("completed", progress["epoch"])


def progress_of(stack: Stack) -> dict[str, Any]:
    progress: dict[str, Any] = stack.http.get("/api/training_progress/").json()
    return progress


@pytest.mark.stack
def test_the_command_learns_corrections_too(adapting: AdaptingStack) -> None:
    options = ("--preset", "adapt", "--samples", "64", "--epochs", "1")
    assert "Test accuracy" in adapting.manage("train", *options)
    newest = adapting.http.get("/api/runs/").json()["results"][0]
    assert (newest["status"], newest["base"]) == ("completed", in_service(adapting)["id"])
    assert newest["comparison"]["challenger"] == newest["model"]
