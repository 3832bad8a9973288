"""Access tokens: scopes and the account's permissions both count; made by command and in the admin."""

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from digits_site.accounts.models import SCOPES, AccessToken
from tests.support.admin_pages import hidden_fields, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
RETRAIN, STOP, TOKENS = "/api/retrain_model/", "/api/stop_training/", "/admin/accounts/accesstoken/"


@pytest.fixture
def client(settings) -> Client:
    settings.TRAINING_OPEN = False
    return Client(HTTP_HOST="localhost", enforce_csrf_checks=True)


@pytest.fixture
def ada() -> User:
    """An account that may train and stop."""
    ada = User.objects.create_user("ada")
    ada.user_permissions.set(Permission.objects.filter(codename="add_trainingrun"))
    return ada


def made(*words: str) -> str:
    """The token as it is shown."""
    out = StringIO()
    call_command("create_token", *words, stdout=out, stderr=StringIO())
    return out.getvalue().strip()


def header(secret: str) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": f"Token {secret}"}


def refusal(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_token_needs_its_scope_and_says_which_is_missing(client: Client, ada: User) -> None:
    """Every scope and permission of every call is in access_matrix.txt."""
    stopping = header(made("ada", "--name", "nightly", "--scope", "stop"))
    assert client.post(STOP, **stopping).status_code == 409
    answer = client.post(RETRAIN, {}, content_type="application/json", **stopping)
    assert refusal(answer) == (403, "permission_denied")
    assert "'train'" in answer.json()["message"]


def test_a_request_without_a_valid_token_is_401(client: Client) -> None:
    values = ("", "nonsense", "digits_" + "0" * 64, "é", "two words", "digits_" + "\x00" * 64, "x" * 100_000)
    for headers in ({}, *map(header, values)):
        answer = client.post(STOP, **headers)
        assert refusal(answer) == (401, "not_authenticated"), headers
        assert answer["WWW-Authenticate"] == "Token"


def test_an_expired_a_revoked_and_a_disabled_accounts_token_are_401(client: Client, ada: User) -> None:
    secrets = [made("ada", "--name", name, "--scope", "stop", "--days", "1") for name in ("old", "lost", "kept")]
    old, lost, _ = AccessToken.objects.order_by("pk")
    assert [client.post(STOP, **header(secret)).status_code for secret in secrets] == [409, 409, 409]
    AccessToken.objects.filter(pk=old.pk).update(expiry=old.expiry - timedelta(days=1, seconds=1))
    call_command("revoke_token", str(lost.pk), stdout=StringIO())
    assert [client.post(STOP, **header(secret)).status_code for secret in secrets] == [401, 401, 409]
    assert AccessToken.objects.filter(pk=old.pk).exists(), "a request deletes nothing"
    User.objects.update(is_active=False)
    assert refusal(client.post(STOP, **header(secrets[2]))) == (401, "not_authenticated")


def test_a_token_is_shown_once_and_kept_nowhere(ada: User, settings) -> None:
    secret = made("ada", "--name", "nightly", "--scope", "train", "--scope", "stop", "--days", "0")
    (row,) = AccessToken.objects.values()
    assert secret not in str(row)
    assert len(secret) == len("digits_") + 64
    listed = StringIO()
    call_command("list_tokens", stdout=listed)
    assert listed.getvalue() == f"{row['id']}\tada\tnightly\ttrain, stop\texpires: never\n"


def test_a_token_expires_after_90_days_by_default(ada: User) -> None:
    made("ada", "--name", "nightly", "--scope", "train")
    token = AccessToken.objects.get()
    assert token.expiry - token.created == pytest.approx(timedelta(days=90), abs=timedelta(minutes=1))
    client = Client(HTTP_HOST="localhost")
    client.force_login(User.objects.create_superuser("admin"))
    assert 'name="days" value="90"' in client.get(f"{TOKENS}add/").content.decode()


def test_a_token_is_neither_made_nor_revoked_of_what_is_wrong(ada: User) -> None:
    for words in (
        "nobody --name n --scope train",
        "ada --name n --scope root",
        "ada --name n",
        "ada --scope train",
        "ada --name n --scope train --days -1",
        "ada --name n --scope train --days 36501",
    ):
        with pytest.raises(CommandError):
            made(*words.split())
    assert not AccessToken.objects.exists()
    with pytest.raises(CommandError, match="no token 7"):
        call_command("revoke_token", "7")


def test_the_admin_shows_tokens_without_their_keys_and_revokes_them(ada: User) -> None:
    secret = made("ada", "--name", "nightly", "--scope", "train", "--days", "90")
    token = AccessToken.objects.get()
    client = Client(HTTP_HOST="localhost")
    client.force_login(User.objects.create_superuser("admin"))
    for page in (TOKENS, f"{TOKENS}{token.pk}/change/"):
        text = client.get(page).content.decode()
        assert "nightly" in text
        assert "train" in text
        for kept in (secret, token.digest, token.token_key):
            assert kept not in text
    assert client.post(f"{TOKENS}{token.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not AccessToken.objects.exists()


def admin_of(user: User) -> Client:
    browser = Client(HTTP_HOST="localhost")
    browser.force_login(user)
    return browser


def staff(name: str, *groups: str) -> User:
    user = User.objects.create_user(name, is_staff=True)
    user.groups.set(Group.objects.filter(name__in=groups))
    return user


def test_a_token_made_in_the_admin_is_shown_in_one_response_and_works(client: Client, ada: User) -> None:
    browser = admin_of(User.objects.create_superuser("admin"))
    page = f"{TOKENS}add/"
    fields = hidden_fields(browser, page) | {
        "name": "nightly",
        "account": ada.pk,
        "scopes": ["stop", "review"],
        "days": 3,
    }
    answer = browser.post(page, fields)
    (secret,) = set(re.findall(r"digits_[0-9a-f]{64}", answer.content.decode()))
    assert "no-store" in answer["Cache-Control"]
    assert client.post(STOP, **header(secret)).status_code == 409
    token = AccessToken.objects.get()
    assert (token.user, token.name, token.scopes) == (ada, "nightly", ["stop", "review"])
    assert 2 < (token.expiry - timezone.now()).total_seconds() / 86400 < 3
    text = text_of(answer)
    assert "ada may not do that yet: review needs the permission recognition.change_correction." in text
    assert "stop needs" not in text
    (entry,) = LogEntry.objects.all()
    assert entry.change_message == "Made for ada, scopes stop, review."
    again = browser.post(page, fields)
    assert "Nothing was done" in text_of(again), "a double click, or the page loaded again, makes no second one"
    assert not re.search(r"digits_[0-9a-f]", again.content.decode())
    assert AccessToken.objects.count() == 1
    kept = str(
        [*Session.objects.values(), *LogEntry.objects.values(), *AccessToken.objects.values(), dict(browser.session)]
    )
    assert secret not in kept


def test_others_than_superusers_make_tokens_for_themselves_and_for_what_they_may(ada: User) -> None:
    eve = staff("eve", "operator")
    eve.groups.get().permissions.remove(Permission.objects.get(codename="change_correction"))
    browser, page = admin_of(eve), f"{TOKENS}add/"
    form = browser.get(page).content.decode()
    assert 'value="activate"' in form
    assert 'value="review"' not in form
    assert 'name="account"' not in form
    fields = hidden_fields(browser, page) | {"name": "n", "account": ada.pk, "days": ""}
    assert "Select a valid choice" in text_of(browser.post(page, fields | {"scopes": ["review"]}))
    for wrong in (
        {"scopes": []},
        {"scopes": ["stop"], "days": 0},
        {"scopes": ["stop"], "name": ""},
        {"scopes": ["root"]},
    ):
        assert "Create token" in text_of(browser.post(page, fields | wrong))
    assert not AccessToken.objects.exists()
    assert "Copy the token now" in text_of(browser.post(page, fields | {"scopes": ["stop"]}))
    token = AccessToken.objects.get()
    assert (token.user, token.expiry) == (eve, None)
    assert admin_of(staff("rose", "reviewer")).get(page).status_code == 403


def test_the_ready_groups_have_their_permissions_and_stay_as_an_operator_changed_them() -> None:
    groups = {group.name: group for group in Group.objects.all()}
    assert set(groups) == {"trainer", "reviewer", "operator"}
    trainer, rose, eve = staff("tim", "trainer"), staff("rose", "reviewer"), staff("eve", "operator")
    assert trainer.get_all_permissions() == {
        "training.add_trainingrun",
        "training.view_trainingrun",
        "recognition.view_modelversion",
    }
    assert rose.get_all_permissions() == {"recognition.view_correction", "recognition.change_correction"}
    assert eve.has_perms([scope.permission for scope in SCOPES.values()])
    assert not eve.has_perm("auth.change_user"), "who changes accounts can become a superuser"
    assert Permission.objects.get(codename="add_trainingrun").name == "Can add training run"
    groups["trainer"].permissions.clear()
    groups["reviewer"].delete()
    call_command("migrate", verbosity=0)
    assert not groups["trainer"].permissions.exists()
    assert not Group.objects.filter(name="reviewer").exists()
