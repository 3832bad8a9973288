"""The page to sign in: for every account, back to where the visitor was, and nowhere else."""

from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.auth.models import Permission, User
from django.db import OperationalError
from django.test import Client

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
SIGN_IN, SIGN_OUT, RETRAIN = "/sign-in/", "/sign-out/", "/api/retrain_model/"


@pytest.fixture
def client(settings) -> Client:
    """The browser of a visitor where training needs an account."""
    settings.TRAINING_OPEN = False
    settings.LOGIN_FAILURES = 0  # other tests' failed attempts from this address would count
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return Client(HTTP_HOST="localhost", HTTP_ACCEPT="text/html", enforce_csrf_checks=True)


@pytest.fixture
def ada() -> User:
    """May train, and is no staff."""
    ada = User.objects.create_user("ada", password=PASSWORD)
    ada.user_permissions.set(Permission.objects.filter(codename="add_trainingrun"))
    return ada


def sign_in(client: Client, next_page: str = "", **fields: str) -> Any:
    client.get(SIGN_IN)
    token = client.cookies["csrftoken"].value
    form = {"username": "ada", "password": PASSWORD, "next": next_page, "csrfmiddlewaretoken": token}
    return client.post(SIGN_IN, form | fields)


def text_of(client: Client, page: str = "/") -> str:
    return client.get(page).content.decode()


def test_an_account_that_is_no_staff_signs_in_trains_and_signs_out(client: Client, ada: User) -> None:
    assert 'href="/sign-in/?next=%2Fruns%2F%3Fa%3D1"' in text_of(client, "/runs/?a=1")
    assert sign_in(client, "/runs/?a=1#train")["Location"] == "/runs/?a=1#train"
    page = text_of(client)
    assert "ada · " in page
    assert "Sign in</a>" not in page
    token = {"HTTP_X_CSRFTOKEN": client.cookies["csrftoken"].value, "HTTP_ACCEPT": "*/*"}
    assert client.post(RETRAIN, {}, content_type="application/json", **token).status_code == 202
    assert client.get(SIGN_OUT).status_code == 405, "a link of another page does not sign out"
    assert client.post(SIGN_OUT, {"next": "/runs/"}).status_code == 403
    assert client.post(SIGN_OUT, {"next": "/runs/"}, **token)["Location"] == "/runs/"
    assert "Sign in</a>" in text_of(client)


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example/",
        "https://evil.example/",
        "https:evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "http://localhost:81/",
    ],
)
def test_it_leads_to_no_other_site(client: Client, ada: User, elsewhere: str) -> None:
    assert elsewhere not in client.get(SIGN_IN, {"next": elsewhere}).content.decode()
    assert sign_in(client, elsewhere)["Location"] == "/"
    assert (
        client.post(SIGN_OUT, {"next": elsewhere, "csrfmiddlewaretoken": client.cookies["csrftoken"].value})["Location"]
        == "/"
    )


def test_a_wrong_password_a_disabled_account_and_a_form_without_token_are_refused(client: Client, ada: User) -> None:
    page = sign_in(client, "/runs/", password="wrong").content.decode()
    assert "Wrong name or password." in page
    assert 'name="next" value="/runs/"' in page
    assert "wrong" not in page, "the password is not sent back"
    assert client.post(SIGN_IN, {"username": "ada", "password": PASSWORD}).status_code == 403
    User.objects.update(is_active=False)
    assert "Wrong name or password." in sign_in(client).content.decode()


def test_the_page_is_never_cached_and_signing_in_begins_a_new_session(client: Client, ada: User) -> None:
    assert "no-store" in client.get(SIGN_IN)["Cache-Control"]
    session = client.session
    session.update({"planted": True})
    session.save()
    client.cookies["sessionid"] = str(session.session_key)
    sign_in(client)
    assert client.cookies["sessionid"].value != session.session_key


def test_while_the_database_is_away_pages_open_for_an_account_too(client: Client, ada: User) -> None:
    client.force_login(ada)
    with patch("django.contrib.auth.backends.ModelBackend.get_user", side_effect=OperationalError):
        assert "Sign in</a>" in text_of(client)
