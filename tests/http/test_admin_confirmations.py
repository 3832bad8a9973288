"""What was confirmed in the admin is what is done, at most once; else the page is shown again and says what changed."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from recognition import registry
from recognition.models import Activation, ModelVersion
from tests.support.admin_pages import MODELS, RUNS, confirm, hidden_fields, superuser_client, text_of  # noqa: F401
from tests.support.constant_models import publish_constant_model
from tests.support.runs import make_run
from training.models import Status, TrainingRun

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
ROLL_BACK = f"{MODELS}roll-back/"
CHANGED = "Nothing was done, because something changed after you opened this page."
CHANGES = {"preset": "fast", "epochs": 2, "batch_size": 64, "learning_rate": 0.002, "samples": 99, "seed": ""}


@pytest.fixture
def models(client: Client) -> list[ModelVersion]:
    """Three put into service one after another; the last one serves."""
    models = [publish_constant_model(digit) for digit in (1, 2, 3)]
    for model in models:
        registry.activate(model)
    return models


def clicked(client: Client, url: str, fields: dict[str, Any]) -> str:
    """The page after a click on the button of a confirmation page that was opened before."""
    return text_of(client.post(url, fields, follow=True))


def test_a_double_click_on_roll_back_rolls_back_once(client: Client, models: list[ModelVersion]) -> None:
    fields, before = hidden_fields(client, ROLL_BACK), Activation.objects.count()
    assert f"model {models[1].pk} is in service" in clicked(client, ROLL_BACK, fields)
    again = clicked(client, ROLL_BACK, fields)
    assert CHANGED in again
    assert f"Model {models[1].pk} was rolled back by admin." in again
    assert f"Once confirmed, model {models[0].pk} answers" in again, "what a confirmation would do now"
    assert Activation.current_model_id() == models[1].pk
    assert Activation.objects.count() == before + 1
    assert LogEntry.objects.count() == 1


@pytest.mark.parametrize("page", ["roll back", "model", "run"])
def test_an_activation_between_question_and_answer_refuses_another(
    client: Client, models: list[ModelVersion], page: str
) -> None:
    run = make_run(Status.COMPLETED, model=models[0])
    activate = {"model": f"{MODELS}{models[0].pk}/act/activate/", "run": f"{RUNS}{run.pk}/act/activate/"}
    url = activate.get(page, ROLL_BACK)
    fields = hidden_fields(client, url)
    newest = registry.activate(models[1], by=User.objects.create_user("eve"))
    refused = clicked(client, url, fields)
    assert CHANGED in refused
    assert f"Model {newest.model_id} was activated by eve." in refused
    assert Activation.current() == newest
    assert "is in service" in confirm(client, url), "asked again, it can be confirmed"


def test_a_double_click_on_put_into_service_is_logged_once(client: Client, models: list[ModelVersion]) -> None:
    url, before = f"{MODELS}{models[0].pk}/act/activate/", Activation.objects.count()
    fields = hidden_fields(client, url)
    assert "is in service." in clicked(client, url, fields)
    assert "is already in service." in clicked(client, url, fields)
    assert (Activation.objects.count(), LogEntry.objects.count()) == (before + 1, 1)


@pytest.mark.parametrize(("action", "form"), [("train_again", {}), ("train_with_changes", CHANGES)])
def test_a_double_click_on_train_again_starts_one_run_however_soon_it_ends(
    client: Client, action: str, form: dict[str, Any]
) -> None:
    url = f"{RUNS}{make_run(Status.COMPLETED).pk}/act/{action}/"
    fields, before = hidden_fields(client, url) | form, TrainingRun.objects.count()
    assert "is queued" in clicked(client, url, fields)
    first = TrainingRun.objects.active().get()
    assert first.end_queued(Status.INTERRUPTED)
    again = client.post(url, fields, follow=True)
    assert CHANGED in text_of(again)
    assert f"Run {first.pk} was added." in text_of(again)
    assert not form or 'value="99"' in again.content.decode(), "what was typed is kept"
    assert TrainingRun.objects.count() == before + 1


def test_a_run_that_was_claimed_between_question_and_answer_is_not_stopped(client: Client) -> None:
    run = make_run(Status.QUEUED)
    url = f"{RUNS}{run.pk}/act/stop/"
    fields = hidden_fields(client, url)
    assert run.claim("worker")
    refused = clicked(client, url, fields)
    assert CHANGED in refused
    assert f"Run {run.pk} is in progress." in refused
    run.refresh_from_db()
    assert (run.status, run.stop_requested_at) == (Status.IN_PROGRESS, None)


def test_a_run_is_stopped_once_and_not_after_its_end(client: Client) -> None:
    run = make_run(Status.IN_PROGRESS, attempt=1)
    url = f"{RUNS}{run.pk}/act/stop/"
    fields = hidden_fields(client, url)
    assert "is stopping" in clicked(client, url, fields)
    assert "is already stopping" in clicked(client, url, fields)
    assert LogEntry.objects.count() == 1
    run.finish(Status.COMPLETED)
    assert "has already ended (completed)" in clicked(client, url, fields)
    assert "has already ended" in text_of(client.get(url, follow=True)), "and it is not asked about either"


def test_a_post_from_no_confirmation_page_changes_nothing(client: Client, models: list[ModelVersion]) -> None:
    run = make_run(Status.IN_PROGRESS, attempt=1)
    before = Activation.objects.count(), TrainingRun.objects.count()
    actions = ("stop", "train_again", "train_with_changes")
    activate = f"{MODELS}{models[0].pk}/act/activate/"
    for url in (ROLL_BACK, activate, *(f"{RUNS}{run.pk}/act/{action}/" for action in actions)):
        text = text_of(client.post(url))
        assert ("Cancel" if url.endswith("changes/") else "No, take me back") in text
        assert CHANGED not in text
    run.refresh_from_db()
    assert run.stop_requested_at is None
    assert (Activation.objects.count(), TrainingRun.objects.count()) == before
