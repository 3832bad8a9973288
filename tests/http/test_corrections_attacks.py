"""Corrections from clients who mean harm: races, and text that a database refuses."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from digits_site.accounts.models import AccessToken
from recognition.models import Correction
from tests.support.corrections import pending_correction
from tests.support.drawings import data_url, draw, encode
from tests.support.stack import Stack

URL, JSON = "/api/corrections/", "application/json"
WALL = "/admin/recognition/correction/"
DRAWING = {"drawing": data_url(encode(draw(7))), "label": 6}


@pytest.mark.django_db
@pytest.mark.postgres
@pytest.mark.parametrize("account", ["\0", "ada\0", "%", "_", "x" * 5000, "'; DROP TABLE recognition_correction"])
def test_the_name_of_no_account_deletes_nothing(shipped: None, account: str) -> None:
    client = Client(HTTP_HOST="localhost")
    assert client.post(URL, DRAWING, content_type=JSON).status_code == 201
    user = User.objects.create_user("ada")
    user.user_permissions.add(Permission.objects.get(codename="change_correction"))
    _, secret = AccessToken.objects.create(user, name="a test", scopes=["review"])
    answer = client.delete(URL, query_params={"account": account}, HTTP_AUTHORIZATION=f"Token {secret}")
    if "\0" in account:
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
    else:
        assert (answer.status_code, answer.json()) == (200, {"deleted": 0})
    assert client.post(URL, DRAWING, content_type=JSON).status_code == 200, "it is still there"


@pytest.mark.django_db
@pytest.mark.postgres
def test_the_case_of_a_media_type_does_not_matter(shipped: None) -> None:
    answer = Client(HTTP_HOST="localhost").post(URL, json.dumps(DRAWING), content_type="Application/JSON")
    assert (answer.status_code, answer.json()["label"]) == (201, 6)


@pytest.mark.stack
@pytest.mark.postgres
def test_equal_corrections_that_are_sent_and_undone_at_once(stack: Stack) -> None:
    """Each request finds the row, makes it, or meets one that was undone a moment ago."""

    def send_and_undo(_: int) -> list[int]:
        statuses = []
        with httpx.Client(base_url=stack.url, timeout=30) as http:
            for _ in range(40):
                answer = http.post(URL, json=DRAWING)
                statuses.append(answer.status_code)
                if answer.status_code == 201:
                    sent = answer.json()
                    undone = http.delete(f"{URL}{sent['id']}/", params={"undo": sent["undo"]})
                    statuses.append(undone.status_code)
        return statuses

    with ThreadPoolExecutor(8) as pool:
        counts = Counter(status for statuses in pool.map(send_and_undo, range(8)) for status in statuses)
    assert counts.keys() <= {200, 201, 204}, counts
    assert counts[201] == counts[204] > 1, counts


# --- The wall ---


@pytest.fixture
def reviewer(shipped: None) -> Client:
    client = Client(HTTP_HOST="localhost")
    user = User.objects.create_user("ada", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=("change_correction", "view_correction")))
    client.force_login(user)
    pending_correction(7)
    return client


@pytest.mark.django_db
@pytest.mark.postgres
@pytest.mark.parametrize(
    "query",
    [
        *("day=9999-12-31", "day=0001-01-01", "day=2026-W01-1", "state=bogus", "label=99", "sender=%00", "p=999999"),
        *("picture__regex=(a%2B)%2B$", "created_at__year=9999999", "account__password__startswith=p", "%00=1"),
    ],
)
def test_no_filter_in_the_address_is_an_error_of_the_server(reviewer: Client, query: str) -> None:
    assert reviewer.get(f"{WALL}?{query}").status_code in {200, 302, 400}
    across = {"decision": "accept", "select_across": "1", "newest": "9"}
    assert reviewer.post(f"{WALL}decide/?{query}", across).status_code in {302, 400}


@pytest.mark.django_db
@pytest.mark.postgres
def test_a_lookup_that_is_no_filter_of_the_wall_is_refused(reviewer: Client) -> None:
    for lookup in ("picture__regex", "account__password__startswith", "sender__startswith"):
        assert reviewer.get(WALL, {lookup: "a"}).status_code == 400, lookup


@pytest.mark.django_db
@pytest.mark.postgres
def test_the_filter_by_day_shows_that_day_alone(reviewer: Client) -> None:
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    Correction.objects.update(created_at=midnight)
    days = [(midnight + timedelta(days=n)).date().isoformat() for n in (-1, 0, 1)]
    assert ["data-tile=" in reviewer.get(WALL, {"day": day}).content.decode() for day in days] == [False, True, False]


@pytest.mark.django_db
@pytest.mark.postgres
def test_the_name_of_an_account_is_text_on_every_page(reviewer: Client) -> None:
    name = "<script>alert(1)</script>"
    user = User.objects.create_user(name)
    correction = Correction.objects.get()
    Correction.objects.update(account=user, decided_by=user)
    for path in (WALL, f"{WALL}{correction.pk}/change/"):
        assert name not in reviewer.get(path).content.decode()
    assert "&lt;script&gt;" in reviewer.get(f"{WALL}{correction.pk}/change/").content.decode()
