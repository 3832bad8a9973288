"""Who stopped a run and who put a model into service, however it came: in the rows, the API, the admin and the log."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from digits_site.accounts.models import AccessToken
from recognition import registry
from recognition.models import Activation, Via
from tests.support.admin_pages import MODELS, RUNS, act, superuser_client, text_of  # noqa: F401
from tests.support.constant_models import publish_constant_model
from tests.support.runs import PARAMETERS, make_run
from training import stopping
from training.models import Status, StoppedVia, TrainingRun
from training.worker.runner import activate_if_requested

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
STOP = "/api/stop_training/"


def token(user: User) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": f"Token {AccessToken.objects.create(user, name='a test', scopes=['stop'])[1]}"}


@pytest.mark.parametrize("status", [Status.QUEUED, Status.IN_PROGRESS])
@pytest.mark.parametrize(
    ("via", "stopped_by", "shown"),
    [
        ("api", "ada", "ada, through the API"),
        ("page", "ada", "ada, on the page"),
        ("page", "anonymous", "a visitor, on the page"),
        ("admin", "admin", "admin, in the admin"),
        ("command", "anonymous", "an operator, at the terminal"),
    ],
)
def test_who_stopped_a_run_is_recorded_shown_and_logged(
    client: Client, status: Status, via: str, stopped_by: str, shown: str
) -> None:
    ada, caller, run = User.objects.create_superuser("ada"), Client(HTTP_HOST="localhost"), make_run(status)
    if via == "admin":
        act(client, run, "stop")
    elif via == "command":
        stopping.request_stop(run.pk)
    else:
        if via == "page" and stopped_by == "ada":
            caller.force_login(ada)
        headers = token(ada) if via == "api" else {"HTTP_ORIGIN": "http://localhost"}
        assert caller.post(STOP, **headers).status_code == 200
    assert caller.post(STOP).status_code == (409 if status == Status.QUEUED else 200), "a second stop changes nothing"
    answer = client.get(f"/api/runs/{run.pk}/").json()
    assert (answer["stopped_by"], answer["stopped_via"]) == (stopped_by, via)
    assert f"Stopped by: {shown}" in text_of(client.get(f"{RUNS}{run.pk}/change/"))
    logged = [(str(entry.user), entry.get_change_message()) for entry in LogEntry.objects.all()]
    channel = StoppedVia(via).label
    assert logged == ([] if stopped_by == "anonymous" else [(stopped_by, f"Stop requested {channel}.")])


def test_a_run_that_nobody_stopped_or_that_ended_first_was_stopped_by_nobody(client: Client) -> None:
    ada = User.objects.create_superuser("ada")
    stopping = {"stopped_by": ada, "stopped_via": StoppedVia.ADMIN}
    for run in (make_run(Status.INTERRUPTED), make_run(Status.COMPLETED, **stopping), make_run(Status.ERROR)):
        answer = client.get(f"/api/runs/{run.pk}/").json()
        assert (answer["stopped_by"], answer["stopped_via"]) == (None, "")


def test_of_a_deleted_account_it_is_known_how_it_stopped_the_run(client: Client) -> None:
    run = make_run(Status.INTERRUPTED, stopped_by=User.objects.create_user("eve"), stopped_via=StoppedVia.ADMIN)
    User.objects.get(username="eve").delete()
    assert "a deleted account, in the admin" in text_of(client.get(f"{RUNS}{run.pk}/change/"))


def test_who_put_a_runs_model_into_service_is_on_its_page_and_in_the_log(client: Client) -> None:
    ada = User.objects.create_superuser("ada")
    caller = Client(HTTP_HOST="localhost")
    _, secret = AccessToken.objects.create(ada, name="a test", scopes=["activate"])
    model, other = publish_constant_model(5), publish_constant_model(6)
    run = make_run(Status.COMPLETED, model=model, test_accuracy=0.5)
    headers = {"HTTP_AUTHORIZATION": f"Token {secret}"}
    assert caller.post(f"/api/models/{model.pk}/activate/", **headers).status_code == 200
    assert (Activation.current().by, Activation.current().via) == (ada, Via.API)
    registry.activate(other)
    act(client, model, "activate")
    text = text_of(client.get(f"{RUNS}{run.pk}/change/"))
    assert "Activated by ada through the API" in text
    assert "Activated by admin" in text
    log = [(str(entry.user), entry.get_change_message()) for entry in LogEntry.objects.order_by("pk")]
    assert log == [("ada", "Put into service through the API."), ("admin", "Put into service in the admin.")]


def test_a_run_that_activated_its_model_says_so(client: Client) -> None:
    ada = User.objects.create_superuser("ada")
    parameters = PARAMETERS | {"activate": True}
    run = make_run(Status.IN_PROGRESS, attempt=1, requested_by=ada, parameters=parameters)
    Activation.objects.all().delete()
    model = publish_constant_model(5)
    assert activate_if_requested(run, model) == (True, "")
    TrainingRun.objects.filter(pk=run.pk).update(status=Status.COMPLETED, model=model)
    shown = text_of(client.get(f"{RUNS}{run.pk}/change/"))
    assert "Activated by the run that trained it, which ada started" in shown
    assert "activated by the run that trained it" in text_of(client.get("/admin/"))
    assert LogEntry.objects.get().get_change_message() == "Put into service by the run that trained it."
