"""Access tokens: scopes and the account's permissions both count; made, listed and revoked on the command line."""

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import Client

from digits_site.accounts.models import SCOPES, AccessToken
from recognition.models import ModelVersion

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
RETRAIN, STOP, TOKENS = "/api/retrain_model/", "/api/stop_training/", "/admin/accounts/accesstoken/"


@pytest.fixture
def client(settings) -> Client:
    settings.TRAINING_OPEN = False
    return Client(HTTP_HOST="localhost", enforce_csrf_checks=True)


@pytest.fixture
def ada() -> User:
    """An account that may do everything a token can be for."""
    ada = User.objects.create_user("ada", password="a long enough password")
    ada.user_permissions.set(Permission.objects.filter(codename__in=["add_trainingrun", "add_activation"]))
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


def call(client: Client, scope: str, secret: str):
    """What needs that scope."""
    model = ModelVersion.objects.values_list("pk", flat=True).first()
    paths = {"train": RETRAIN, "stop": STOP, "activate": f"/api/models/{model}/activate/"}
    return client.post(paths[scope], {}, content_type="application/json", **header(secret))


ALLOWED = {"train": 202, "stop": 409, "activate": 200}  # nothing is running


@pytest.mark.parametrize("scope", SCOPES)
def test_a_token_does_what_its_scope_and_its_account_allow(shipped: None, client: Client, ada: User, scope) -> None:
    secret = made("ada", "--name", "nightly", "--scope", scope)
    assert call(client, scope, secret).status_code == ALLOWED[scope]
    others = [other for other in SCOPES if other != scope]
    for other in others:
        answer = call(client, other, secret)
        assert refusal(answer) == (403, "permission_denied")
        assert f"'{other}'" in answer.json()["message"], "names what the token lacks"
    ada.user_permissions.clear()
    assert refusal(call(client, scope, secret)) == (403, "permission_denied")


def test_where_training_is_open_a_token_still_does_only_what_it_names(client: Client, ada: User, settings) -> None:
    settings.TRAINING_OPEN = True
    secret = made("ada", "--name", "nightly", "--scope", "stop")
    assert refusal(call(client, "train", secret)) == (403, "permission_denied")


@pytest.mark.parametrize(
    "given",
    [None, "", "nonsense", "digits_" + "0" * 64, "é", "two words", "digits_" + "\x00" * 64, "x" * 100_000],
    ids=["no header", "none", "nonsense", "unknown", "not ASCII", "two words", "NUL", "long"],
)
def test_a_request_without_a_valid_token_is_401(client: Client, given: str | None) -> None:
    answer = client.post(STOP, **({} if given is None else header(given)))
    assert refusal(answer) == (401, "not_authenticated")
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
    secret = made("ada", "--name", "nightly", "--scope", "train", "--scope", "stop")
    (row,) = AccessToken.objects.values()
    assert secret not in str(row)
    assert len(secret) == len("digits_") + 64
    listed = StringIO()
    call_command("list_tokens", stdout=listed)
    assert listed.getvalue() == f"{row['id']}\tada\tnightly\ttrain, stop\texpires: never\n"


@pytest.mark.parametrize(
    "words",
    [
        ["nobody", "--name", "n", "--scope", "train"],
        ["ada", "--name", "n", "--scope", "root"],
        ["ada", "--name", "n"],
        ["ada", "--scope", "train"],
        ["ada", "--name", "n", "--scope", "train", "--days", "0"],
    ],
)
def test_a_token_is_not_made_of_what_is_wrong(ada: User, words: list[str]) -> None:
    with pytest.raises(CommandError):
        made(*words)
    assert not AccessToken.objects.exists()


def test_revoking_what_is_not_there_says_so() -> None:
    with pytest.raises(CommandError, match="no token 7"):
        call_command("revoke_token", "7")


def test_the_admin_shows_tokens_without_their_keys_and_revokes_them(shipped: None, ada: User) -> None:
    secret = made("ada", "--name", "nightly", "--scope", "train", "--days", "90")
    token = AccessToken.objects.get()
    client = Client(HTTP_HOST="localhost")
    client.force_login(User.objects.create_superuser("admin", password="a long enough password"))
    for page in (TOKENS, f"{TOKENS}{token.pk}/change/"):
        text = client.get(page).content.decode()
        assert "nightly" in text
        assert "train" in text
        for kept in (secret, token.digest, token.token_key):
            assert kept not in text
    assert client.get(f"{TOKENS}add/").status_code == 403
    assert client.post(f"{TOKENS}{token.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not AccessToken.objects.exists()
