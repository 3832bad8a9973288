"""Corrections from clients who mean harm: races, and text that a database refuses."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from digits_site.accounts.models import AccessToken
from tests.support.drawings import data_url, draw, encode
from tests.support.stack import Stack

URL, JSON = "/api/corrections/", "application/json"
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
