"""Runs of the preset adapt: what each learns and is judged by, whatever happens to the corrections meanwhile."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from digits_site.checks import MIN_LOST_SECONDS
from recognition import registry
from recognition.models import Correction, ModelVersion
from tests.support.accepted_corrections import add_corrections, manifest
from tests.support.constant_models import publish_constant_model
from tests.support.refusals import assert_refused
from tests.support.stack import Stack, running
from tests.support.stack import run as run_python
from training.models import RunCorrections, Status, TrainingRun

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
ADAPT = {"preset": "adapt", "activate": True}


def request(client: Client, **parameters: Any) -> Any:
    return client.post("/api/retrain_model/", ADAPT | parameters, content_type="application/json")


def requested(client: Client, **parameters: Any) -> TrainingRun:
    answer = request(client, **parameters)
    assert answer.status_code == 202, answer.content
    return TrainingRun.objects.get(pk=answer.json()["run"])


def end(run: TrainingRun, status: Status = Status.INTERRUPTED) -> None:
    assert run.end_queued(status)


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


def test_too_few_accepted_corrections_are_refused_and_leave_no_run(client: Client, shipped: None) -> None:
    add_corrections(9)
    add_corrections(9, first=20, state="pending")
    before = TrainingRun.objects.count()
    body = assert_refused(request(client), 409, "too_few_corrections")
    assert (body["count"], body["needed"]) == (9, 10)
    assert (TrainingRun.objects.count(), RunCorrections.objects.count()) == (before, 0)


def test_without_a_model_to_begin_with_there_is_no_run(client: Client) -> None:
    add_corrections(12)
    assert_refused(request(client), 409, "no_model")
    registry.activate(publish_constant_model(3))  # it has no Keras file
    assert_refused(request(client), 409, "no_model")
    assert not TrainingRun.objects.exists()


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


@pytest.mark.parametrize("status", [Status.INTERRUPTED, Status.ERROR])
def test_an_ended_run_forgets_the_pictures_and_keeps_the_manifest(
    client: Client, shipped: None, status: Status
) -> None:
    accepted = add_corrections(12)
    run = requested(client)
    end(run, status)
    used = RunCorrections.objects.get(run=run)
    assert (bytes(used.pictures), used.sha256, len(used.entries)) == (b"", manifest(accepted), 12)


def test_corrections_can_be_deleted_while_a_run_has_them(client: Client, shipped: None) -> None:
    accepted = add_corrections(12)
    run = requested(client)
    Correction.objects.all().delete()
    assert len(bytes(RunCorrections.objects.get(run=run).pictures)) == 12 * 784
    assert RunCorrections.objects.get(run=run).sha256 == manifest(accepted)


# --- The running product ---


def added(stack: Stack, **values: Any) -> dict[str, Any]:
    """Add corrections in the stack's database; return their IDs and their manifest's SHA-256."""
    answer: dict[str, Any] = json.loads(
        run_python(stack.environment, "-m", "tests.support.accepted_corrections", json.dumps(values))
    )
    return answer


@pytest.fixture(scope="module")
def module_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("adapt"), RUN_LOST_SECONDS=str(MIN_LOST_SECONDS)) as stack:
        added(stack, count=60)
        yield stack


@pytest.fixture
def adapting(module_stack: Stack) -> Iterator[Stack]:
    """The running product with 60 accepted corrections, which soon takes a run for lost."""
    yield from module_stack.whole_and_idle()


@pytest.mark.stack
def test_a_whole_run_is_compared_with_the_model_that_it_began_with(adapting: Stack) -> None:
    number = adapting.train(preset="adapt", samples=64, epochs=2)
    run = adapting.ended(number)
    assert run["status"] == "completed", run
