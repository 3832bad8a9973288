"""The admin: a history to look at and act on, with few queries however long it is."""

import json
import re

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from recognition import registry
from recognition.models import Activation, ModelVersion
from tests.support.admin_pages import MODELS, RUNS, act, confirm, superuser_client, text_of  # noqa: F401
from tests.support.constant_models import constant_model
from tests.support.runs import make_run
from training.models import Epoch, Status, TrainingRun

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


def test_the_list_tells_the_story_newest_first_with_few_queries(client: Client, django_assert_max_num_queries) -> None:
    make_run(Status.ERROR, error_code="diverged", error="The loss became nan.")
    for _ in range(60):
        make_run(Status.COMPLETED, test_accuracy=0.9876)
    with django_assert_max_num_queries(14):
        page = client.get(RUNS)
    text = text_of(page)
    assert "98.76%" in text
    assert "2 of 3" in text
    assert "1 min 35 s" in text, "how long it ran"
    assert "5.0 s" in text, "how long it waited"
    numbers = [int(n) for n in re.findall(r">run (\d+)<", page.content.decode())]
    assert len(numbers) == 50
    assert numbers == sorted(numbers, reverse=True)
    assert "diverged" not in text_of(client.get(RUNS, {"status__exact": "completed"}))
    assert client.get(RUNS, {"queued_at__year": timezone.now().year}).status_code == 200


@pytest.mark.parametrize("status", Status.values)
def test_the_page_of_a_run_in_every_state(client: Client, status: str, django_assert_max_num_queries) -> None:
    values = {
        "completed": {
            "test_accuracy": 0.99,
            "confusion": [[100 if i == j else 1 for j in range(10)] for i in range(10)],
        },
        "error": {"error_code": "diverged", "error": "The loss became nan.", "error_detail": "Traceback <b>here</b>"},
    }
    run = make_run(Status(status), epochs=0 if status == "queued" else 2, **values.get(status, {}))
    with django_assert_max_num_queries(12):
        page = client.get(f"{RUNS}{run.pk}/change/")
    html, text = page.content.decode(), text_of(page)
    drawn = json.loads(html.split('<script id="run-data" type="application/json">')[1].split("</script>")[0])
    assert "batch_size" in text
    if status == "queued":
        assert "No epoch has finished" in text
    else:
        assert [epoch["accuracy"] for epoch in drawn["epochs"]][1] == pytest.approx(0.95), "the second epoch's accuracy"
    assert len(drawn["epochs"]) == (0 if status == "queued" else 2)
    assert drawn["confusion"] == values.get(status, {}).get("confusion")
    if status == "error":
        assert "<details>" in html
        assert "Traceback &lt;b&gt;here" in html
    assert ("/act/stop/" in html) == (status in {"queued", "in_progress"})
    assert ("/act/train_again/" in html) == (status not in {"queued", "in_progress"})
    assert 'name="_save"' not in html


def test_the_shipped_run_is_in_the_history(client: Client) -> None:
    run = TrainingRun.objects.get()
    text = text_of(client.get(f"{RUNS}{run.pk}/change/"))
    assert f"{run.test_accuracy:.2%}" in text
    assert "tensorflow" in text


@pytest.mark.parametrize("path", [f"{RUNS}add/", f"{MODELS}add/"])
def test_nothing_can_be_added_by_hand(client: Client, path: str) -> None:
    assert client.get(path).status_code == 403


@pytest.mark.parametrize("base", [RUNS, MODELS])
def test_nothing_can_be_edited_or_deleted_by_hand(client: Client, base: str) -> None:
    model = TrainingRun if base == RUNS else ModelVersion
    row = model.objects.get()
    before = model.objects.values().get()
    assert client.post(f"{base}{row.pk}/change/", {"test_accuracy": "1", "status": "error"}).status_code == 403
    assert client.post(f"{base}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(base, {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"}).status_code in {
        200,
        302,
    }
    assert model.objects.values().get() == before


def test_stop_from_the_admin(client: Client) -> None:
    run = make_run(Status.IN_PROGRESS, attempt=1)
    assert "is stopping" in act(client, run, "stop")
    run.refresh_from_db()
    assert run.stop_requested_at
    assert "stopping" in text_of(client.get(RUNS))


def test_train_again_from_the_admin(client: Client) -> None:
    """Queued for real, over Redis; no worker serves this database, so the run waits."""
    old = make_run(Status.INTERRUPTED)
    assert "is queued" in act(client, old, "train_again")
    new = TrainingRun.objects.newest()
    assert new
    assert (new.status, new.parameters, str(new.requested_by)) == ("queued", old.parameters, "admin")
    assert "is already training" in act(client, old, "train_again"), "one run at a time"


def test_put_into_service_and_roll_back_from_the_admin(client: Client) -> None:
    shipped = Activation.current_model_id()
    model = registry.publish(constant_model(1), test_accuracy=0.5)
    run = make_run(Status.COMPLETED, model=model, test_accuracy=0.5)
    assert "is in service" in act(client, run, "activate")
    assert Activation.current_model_id() == model.pk
    listed = text_of(client.get(MODELS))
    assert "admin" in listed, "who put it there"
    assert f"model {shipped} answers all drawings" in text_of(client.get(f"{MODELS}roll-back/"))
    assert Activation.current_model_id() == model.pk, "reading the question changes nothing"
    assert f"Rolled back: model {shipped} is in service" in confirm(client, f"{MODELS}roll-back/")
    assert Activation.current_model_id() == shipped
    assert "no earlier model" in text_of(client.get(f"{MODELS}roll-back/", follow=True))
    assert "is in service" in act(client, model, "activate")
    assert Activation.current_model_id() == model.pk


def test_a_run_without_a_model_cannot_serve(client: Client) -> None:
    assert "has no model" in act(client, make_run(Status.ERROR), "activate")


def test_an_account_that_may_only_look_cannot_act(client: Client) -> None:
    user = User.objects.create_user("eve", password="a long enough password", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_trainingrun", "view_modelversion"]))
    client.force_login(user)
    run = make_run(Status.IN_PROGRESS, attempt=1)
    model = registry.publish(constant_model(2), test_accuracy=0.5)
    serving = Activation.current_model_id()
    assert client.get(RUNS).status_code == client.get(f"{RUNS}{run.pk}/change/").status_code == 200
    html = client.get(f"{RUNS}{run.pk}/change/").content.decode()
    assert "/act/" not in html
    for url in (f"{RUNS}{run.pk}/act/stop/", f"{MODELS}{model.pk}/act/activate/", f"{MODELS}roll-back/"):
        assert client.get(url).status_code == client.post(url).status_code == 403
    client.post(RUNS, {"action": "stop", "_selected_action": run.pk})
    client.post(MODELS, {"action": "activate", "_selected_action": model.pk})
    run.refresh_from_db()
    assert run.stop_requested_at is None
    assert Activation.current_model_id() == serving


def test_every_admin_page_opens(client: Client) -> None:
    Epoch.objects.first()
    for path in ("/admin/", RUNS, MODELS, f"{MODELS}{ModelVersion.objects.get().pk}/change/", "/admin/auth/user/"):
        assert client.get(path).status_code == 200, path
