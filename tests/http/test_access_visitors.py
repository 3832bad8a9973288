"""TRAINING_OPEN on a public site: visitors train within bounds, one after another, and stop only their own."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from digits_site.accounts.models import AccessToken
from tests.support.runs import PARAMETERS
from tests.support.stack import running
from training.models import SHIPPED, Status, TrainingRun

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
RETRAIN, STOP = "/api/retrain_model/", "/api/stop_training/"


@pytest.fixture
def client(settings) -> Client:
    """A visitor of a public site where training is open."""
    settings.LOCAL, settings.TRAINING_OPEN, settings.TRAINING_COOLDOWN = False, True, 600
    return Client(HTTP_HOST="localhost", enforce_csrf_checks=True)


def ask(client: Client, caller: dict[str, str] | None = None, **parameters: object):
    return client.post(RETRAIN, parameters, content_type="application/json", **(caller or {}))


def refusal(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def had(seconds_ago: float, **values: object) -> TrainingRun:
    """A run that has ended."""
    facts = {"by_visitor": True, "status": Status.COMPLETED, "preset": "fast", "parameters": PARAMETERS}
    return TrainingRun.objects.create(**facts | {"queued_at": timezone.now() - timedelta(seconds=seconds_ago)} | values)


def account_of(*permissions: str) -> dict[str, str]:
    """The header of a token with every scope."""
    user = User.objects.create_user("ada")
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    _, secret = AccessToken.objects.create(user, name="a test", scopes=["train", "stop", "activate"])
    return {"HTTP_AUTHORIZATION": f"Token {secret}"}


def test_a_visitor_has_a_run_and_the_next_visitor_waits(client: Client) -> None:
    began = time.monotonic()
    assert ask(client).status_code == 202
    assert refusal(ask(client)) == (409, "run_active"), "whoever asks meanwhile is told of the run"
    assert client.post(STOP).status_code == 200
    answer = ask(client)
    assert refusal(answer) == (429, "cool_down")
    assert 599 - (time.monotonic() - began) <= int(answer["Retry-After"]) <= 600
    assert TrainingRun.objects.count() == 1, "a refused run leaves nothing behind"


def test_a_visitor_leaves_no_words_in_the_history(client: Client) -> None:
    for words in ({"name": "BUY NOW"}, {"notes": "spam"}, {"tags": ["spam"]}):
        answer = ask(client, **words)
        assert refusal(answer) == (403, "permission_denied"), words
        assert answer.json()["field"] == next(iter(words))
    assert ask(client, account_of("add_trainingrun"), name="mine").status_code == 202


@pytest.mark.parametrize(
    ("run", "status"),
    [
        ({"seconds_ago": 590}, 429),
        ({"seconds_ago": 601}, 202),
        ({"seconds_ago": 5, "status": Status.ERROR, "error_code": "diverged"}, 429),
        ({"seconds_ago": 5, "status": Status.ERROR, "error_code": "queue_unavailable"}, 202),
        ({"seconds_ago": 5, "by_visitor": False, "worker": SHIPPED}, 202),
        ({"seconds_ago": -2}, 429),
        ({"seconds_ago": -86400}, 202),
    ],
    ids=["short ago", "over", "failed", "no queue", "shipped", "another clock", "clock set back"],
)
def test_the_cool_down_counts_what_a_visitor_asked_for(client: Client, run: dict, status: int) -> None:
    had(**run)
    answer = ask(client)
    assert answer.status_code == status
    assert int(answer.get("Retry-After", 1)) <= 600


def test_a_run_of_a_clock_that_was_set_back_hides_no_later_one(client: Client) -> None:
    had(seconds_ago=-86400)
    had(seconds_ago=5)
    assert refusal(ask(client)) == (429, "cool_down")


def test_accounts_do_not_wait_for_visitors(client: Client) -> None:
    had(seconds_ago=5)
    assert ask(client, account_of("add_trainingrun")).status_code == 202
    run = TrainingRun.objects.newest()
    assert (run.requester, run.by_visitor) == ("ada", False)


def test_an_account_that_may_not_train_is_a_visitor(client: Client) -> None:
    account = account_of("view_trainingrun")
    assert refusal(ask(client, account, preset="handwriting")) == (400, "invalid_parameter")
    assert ask(client, account, preset="fast").status_code == 202
    run = TrainingRun.objects.newest()
    assert (run.requester, run.by_visitor) == ("ada", True)
    TrainingRun.objects.update(by_visitor=False)
    assert refusal(client.post(STOP, **account)) == (403, "permission_denied")
    TrainingRun.objects.update(by_visitor=True)
    assert client.post(STOP, **account).status_code == 200
    assert refusal(ask(client, account)) == (429, "cool_down")


def test_local_mode_knows_no_cool_down_unless_it_is_told(client: Client, settings) -> None:
    settings.LOCAL, settings.TRAINING_COOLDOWN = True, 0
    had(seconds_ago=0)
    assert ask(client, preset="handwriting", epochs=100, batch_size=1, activate=True).status_code == 202


@pytest.mark.stack
def test_of_many_visitors_at_once_one_gets_a_run_however_soon_it_ends(tmp_path) -> None:
    """Everybody stops what is there, so that the one active run alone would let several through."""
    with running(tmp_path, worker=False, TRAINING_COOLDOWN="600", WATCHDOG="false") as stack:

        def visit(_: int) -> int:
            status = stack.http.post(RETRAIN).status_code
            stack.http.post(STOP)
            return status

        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(visit, range(24)))
        asked = stack.http.get("/api/runs/").json()["results"]
    assert statuses.count(202) == 1, statuses
    assert set(statuses) <= {202, 409, 429}
    assert [run["requested_by"] for run in asked] == ["anonymous", "shipped"]


def test_a_visitors_run_is_bounded(client: Client, settings) -> None:
    settings.TRAINING_COOLDOWN = 0
    account = account_of("add_trainingrun")
    for parameters, field in (
        ({"preset": "handwriting"}, "preset"),
        ({"epochs": 4}, "epochs"),
        ({"preset": "fast", "epochs": 2}, "epochs"),
        ({"batch_size": 127}, "batch_size"),
    ):
        answer = ask(client, **parameters)
        assert refusal(answer) == (400, "invalid_parameter")
        assert answer.json()["field"] == field
        assert not TrainingRun.objects.exists()
        assert ask(client, account, **parameters).status_code == 202
        TrainingRun.objects.all().delete()


def test_within_the_bounds_a_visitor_chooses(client: Client, settings) -> None:
    settings.TRAINING_COOLDOWN = 0
    for parameters in ({}, {"preset": "fast"}, {"epochs": 1, "samples": 2048, "batch_size": 256}):
        assert ask(client, **parameters).status_code == 202
        assert client.post(STOP).status_code == 200


def test_who_may_train_may_not_therefore_choose_what_serves(client: Client) -> None:
    assert refusal(ask(client, activate=True)) == (403, "permission_denied")
    account = account_of("add_trainingrun")
    assert refusal(ask(client, account, activate=True)) == (403, "permission_denied")
    User.objects.get().user_permissions.add(Permission.objects.get(codename="add_activation"))
    AccessToken.objects.update(scopes=["train"])
    answer = ask(client, account, activate=True)
    assert "'activate'" in answer.json()["message"]
    AccessToken.objects.update(scopes=["train", "activate"])
    assert ask(client, account, activate=True).status_code == 202


def test_a_visitor_stops_only_what_a_visitor_asked_for(client: Client, settings) -> None:
    run = had(seconds_ago=5, by_visitor=False, status=Status.QUEUED)
    answer = client.post(STOP)
    assert refusal(answer) == (403, "permission_denied")
    run.refresh_from_db()
    assert (run.status, run.stop_requested_at) == (Status.QUEUED, None)
    TrainingRun.objects.update(by_visitor=True)
    assert client.post(STOP).status_code == 200
    assert client.post(STOP).status_code == 409
