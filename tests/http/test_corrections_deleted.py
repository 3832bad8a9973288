"""How corrections are deleted: by account, by age, by command; and what is forgotten of a visitor."""

import time
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from digits_site.accounts.models import AccessToken
from recognition.corrections.retention import apply_retention, delete_of_account
from recognition.models import Correction
from tests.support.corrections import new_correction, random_grids
from tests.support.drawings import data_url, draw, encode
from tests.support.stack import PATIENCE_SECONDS, eventually, running
from training.worker.watchdog import RETENTION_SECONDS, Watchdog

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
URL = "/api/corrections/"


@pytest.fixture
def client() -> Client:
    return Client(HTTP_HOST="localhost", enforce_csrf_checks=True)


@pytest.fixture
def ada() -> User:
    """She has sent three corrections, eve two, and a visitor one."""
    ada, eve = (User.objects.create_user(name) for name in ("ada", "eve"))
    for account, state, grid in zip(
        (ada, ada, ada, eve, eve, None),
        ("accepted", "pending", "rejected", "accepted", "pending", "accepted"),
        random_grids(6),
        strict=True,
    ):
        new_correction(7, grid=grid, account=account, state=state)
    return ada


def token_of(user: User, *scopes: str) -> dict[str, str]:
    return {"Authorization": f"Token {AccessToken.objects.create(user, name='a test', scopes=list(scopes))[1]}"}


def senders() -> list[str]:
    accounts = Correction.objects.values_list("account__username", flat=True)
    return sorted(name or "a visitor" for name in accounts)


def test_a_reviewer_deletes_everything_that_an_account_sent(client: Client, ada: User) -> None:
    reviewer = User.objects.create_user("reviewer")
    reviewer.user_permissions.set(Permission.objects.filter(codename="change_correction"))
    headers = token_of(reviewer, "review")
    answer = client.delete(f"{URL}?account=ada", headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"deleted": 3})
    assert senders() == ["a visitor", "eve", "eve"]
    assert client.delete(f"{URL}?account=ada", headers=headers).json() == {"deleted": 0}
    assert client.delete(f"{URL}?account=nobody", headers=headers).json() == {"deleted": 0}
    for query in ("", "?account="):
        answer = client.delete(URL + query, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
    assert senders() == ["a visitor", "eve", "eve"]


def test_an_account_deletes_its_own_and_no_others(client: Client, ada: User) -> None:
    headers = token_of(ada, "review")
    answer = client.delete(f"{URL}?account=eve", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert client.delete(f"{URL}?account=me", headers=headers).json() == {"deleted": 3}
    assert senders() == ["a visitor", "eve", "eve"]


def test_a_session_deletes_its_own_with_the_csrf_token_only(client: Client, ada: User) -> None:
    client.force_login(ada)
    client.cookies["csrftoken"] = token = "c" * 32
    answer = client.delete(f"{URL}?account=me")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert client.delete(f"{URL}?account=me", headers={"X-CSRFToken": token}).json() == {"deleted": 3}


def test_visitors_and_other_tokens_delete_nothing(client: Client, ada: User) -> None:
    for headers, status in (({}, 401), (token_of(ada, "train"), 403)):
        for account in ("me", "ada", "eve", ""):
            assert client.delete(f"{URL}?account={account}", headers=headers).status_code == status
    assert Correction.objects.count() == 6


def test_a_deleted_account_leaves_its_corrections_without_a_name(ada: User) -> None:
    ada.delete()
    assert senders() == ["a visitor"] * 4 + ["eve"] * 2


# --- Retention ---


def of_age(days: float, state: str, number: int) -> int:
    created_at = timezone.now() - timedelta(days=days)
    grid = random_grids(number + 1)[number]
    return new_correction(7, grid=grid, state=state, created_at=created_at, sender=f"{number:032x}").pk


def test_old_ones_that_are_not_accepted_are_deleted_and_old_senders_forgotten(settings) -> None:
    settings.CORRECTION_DAYS = 90
    ages = [(days, state) for days in (89.9, 90.1) for state in ("accepted", "pending", "rejected")]
    young = [of_age(days, state, number) for number, (days, state) in enumerate(ages)]
    assert apply_retention() == 2
    left = dict(Correction.objects.values_list("pk", "sender"))
    assert left == {young[0]: f"{0:032x}", young[1]: f"{1:032x}", young[2]: f"{2:032x}", young[3]: ""}
    assert apply_retention() == 0


def test_without_a_number_of_days_everything_is_kept(settings) -> None:
    settings.CORRECTION_DAYS = 0
    of_age(5000, "pending", 1)
    assert apply_retention() == 0
    assert Correction.objects.get().sender


def test_the_workers_watchdog_applies_it_once_an_hour(settings) -> None:
    settings.CORRECTION_DAYS = 1
    dog, now = Watchdog(is_worker=True), time.monotonic()
    of_age(2, "pending", 1)
    dog.apply_retention(now)
    assert not Correction.objects.exists()
    of_age(2, "pending", 2)
    dog.apply_retention(now + RETENTION_SECONDS - 1)
    assert Correction.objects.exists()
    dog.apply_retention(now + RETENTION_SECONDS + 1)
    assert not Correction.objects.exists()
    assert RETENTION_SECONDS == 3600


# --- The command ---


def run(*options: str) -> str:
    output = StringIO()
    call_command("delete_corrections", *options, stdout=output)
    return output.getvalue()


def test_the_command_deletes_what_it_is_told(ada: User) -> None:
    assert run("--account", "ada", "--no-input") == "3 corrections deleted.\n"
    assert run("--all-pending", "--no-input") == "1 correction deleted.\n"
    assert senders() == ["a visitor", "eve"]
    of_age(31, "accepted", 8)
    assert run("--older-than", "30", "--no-input") == "1 correction deleted.\n"
    assert senders() == ["a visitor", "eve"]


@pytest.mark.parametrize(("answer", "left"), [("y", 3), (" Y ", 3), ("n", 6), ("", 6), ("yes please", 6), (None, 6)])
def test_the_command_asks_first(ada: User, monkeypatch, answer: str | None, left: int) -> None:
    asked: list[str] = []

    def reply(question: str) -> str:
        asked.append(question)
        if answer is None:
            raise EOFError
        return answer

    monkeypatch.setattr("builtins.input", reply)
    if left == 6:
        with pytest.raises(CommandError, match=r"Nothing was deleted\."):
            run("--account", "ada")
    else:
        run("--account", "ada")
    assert asked == ["Delete 3 corrections? [y/N] "]
    assert Correction.objects.count() == left


def test_the_command_refuses_what_it_cannot_do(ada: User) -> None:
    for options in (["--account", "nobody"], ["--older-than", "-1"], ["--older-than", "99999"], [], ["--no-input"]):
        with pytest.raises(CommandError):
            run(*options)
    with pytest.raises(CommandError):
        run("--account", "ada", "--all-pending")
    assert Correction.objects.count() == 6
    assert delete_of_account(ada) == 3


@pytest.mark.stack
def test_a_worker_that_starts_deletes_what_is_too_old(tmp_path: Path) -> None:
    aged = "from recognition.models import *; Correction.objects.filter(label=1).update(created_at='2020-01-01T00:00Z')"
    with running(tmp_path, worker=False, CORRECTION_DAYS="1", CORRECTIONS_REVIEWED="true") as stack:
        for label in (1, 2):
            answer = stack.http.post(URL, json={"drawing": data_url(encode(draw(7))), "label": label})
            assert answer.json()["state"] == "pending"
        stack.manage("shell", "--verbosity", "0", "-c", aged)

        def pending() -> dict[str, int]:
            counts: dict[str, int] = stack.http.get(f"{URL}summary/").json()["pending"]
            return {label: count for label, count in counts.items() if count}

        assert pending() == {"1": 1, "2": 1}
        stack.start_worker()
        eventually(lambda: pending() == {"2": 1}, PATIENCE_SECONDS, "the deletion")
        said = "retention: corrections deleted: 1, senders forgotten: 0"
        eventually(lambda: said in stack.log("worker"), 10, "the deletion's line, written after it")
