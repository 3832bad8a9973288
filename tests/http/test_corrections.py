"""POST and DELETE /api/corrections/: what is stored of a correction, what is refused, and how it is taken back."""

import gzip
import hashlib
import json
import time
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Permission, User
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from digits_site.accounts.models import AccessToken
from recognition.corrections.collecting import average_hash, is_held_out
from recognition.imaging import EncodedImage, find_candidates
from recognition.models import NO_DIGIT, Correction
from recognition.prediction import classifier
from recognition.prediction.digits import predict_candidates
from tests.support.corrections import new_correction, random_grids
from tests.support.drawings import data_url, draw, encode, png_header

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
URL, JSON = "/api/corrections/", "application/json"
PNG = encode(draw(7))
DRAWING = data_url(PNG)


@pytest.fixture
def client(shipped: None) -> Client:
    return Client(HTTP_HOST="localhost", enforce_csrf_checks=True)


def send(client: Client, label: Any = 7, drawing: Any = DRAWING, **more: Any) -> Any:
    headers = more.pop("headers", None)
    return client.post(URL, {"drawing": drawing, "label": label, **more}, content_type=JSON, headers=headers)


def account(name: str, *permissions: str, scopes: tuple[str, ...] = ()) -> dict[str, str]:
    """The header of a token of a new account."""
    user = User.objects.create_user(name)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    _, secret = AccessToken.objects.create(user, name="a test", scopes=list(scopes))
    return {"Authorization": f"Token {secret}"}


def reviewer(name: str = "ada") -> dict[str, str]:
    return account(name, "change_correction", scopes=("review",))


def test_the_row_holds_the_picture_that_the_network_saw_and_what_it_predicted(client: Client) -> None:
    answer = send(client, 1)
    assert answer.status_code == 201
    row, body = Correction.objects.get(), answer.json()
    drawing = find_candidates(EncodedImage(PNG).decode())
    [prediction] = predict_candidates(classifier.in_service(), [drawing])
    levels = np.rint(prediction.candidate.digit * 255).astype(np.uint8)
    assert bytes(row.picture) == levels.tobytes()
    assert row.picture_sha256 == hashlib.sha256(levels.tobytes()).hexdigest()
    assert (row.label, row.predicted, row.model_id) == (1, 7, classifier.in_service().version)
    assert row.confidence == pytest.approx(prediction.confidence)
    assert 0.5 < prediction.confidence <= 1
    assert (row.source, row.state, row.account, row.decided_by) == ("api", "accepted", None, None)
    assert row.ink == pytest.approx(levels.mean() / 255)
    assert row.held_out == (int(row.picture_sha256[:8], 16) % 3 == 0)
    undo = body.pop("undo")
    assert undo
    assert body == {"id": row.pk, "state": "accepted", "label": 1, "predicted": 7, "model": row.model_id}


def test_the_sender_is_a_keyed_hash_and_never_the_address(client: Client, settings) -> None:
    client.post(URL, {"drawing": DRAWING, "label": 7}, content_type=JSON, REMOTE_ADDR="127.0.0.1")
    first = Correction.objects.get().sender
    assert len(first) == 32
    assert int(first, 16)
    assert first != hashlib.sha256(b"127.0.0.1").hexdigest()[:32]
    settings.SECRET_KEY = "another key. " * 8
    send(client, 8)
    assert Correction.objects.get(label=8).sender != first


def test_the_same_picture_and_label_again_is_the_same_correction(client: Client) -> None:
    first, again, other = send(client, 7), send(client, 7), send(client, 1)
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 201)
    assert again.json() == {name: value for name, value in first.json().items() if name != "undo"}
    assert other.json()["id"] != first.json()["id"]
    assert Correction.objects.count() == 2


def test_the_newest_accepted_label_of_a_picture_wins(client: Client) -> None:
    def states() -> dict[int, str]:
        return dict(Correction.objects.order_by().values_list("label", "state"))

    send(client, 3, drawing=data_url(encode(draw(1)))), send(client, 7), send(client, 1)
    assert states() == {3: "accepted", 7: "rejected", 1: "accepted"}
    again = send(client, 7)
    assert (again.status_code, again.json()["state"]) == (200, "accepted")
    assert states() == {3: "accepted", 7: "accepted", 1: "rejected"}


def test_what_a_reviewer_rejected_stays_rejected(client: Client) -> None:
    send(client, 7)
    Correction.objects.update(state="rejected", decided_by=User.objects.create_user("ada"))
    assert send(client, 7).json()["state"] == "rejected"


def form(label: Any) -> dict[str, Any]:
    file = SimpleUploadedFile("seven.png", PNG, "image/png")
    return {"data": {"drawing": file, "label": label}}


BODIES: dict[str, tuple[str, dict[str, Any], int]] = {
    "json": ("", {"data": {"drawing": DRAWING, "label": 3}, "content_type": JSON}, 3),
    "json null": ("", {"data": {"drawing": DRAWING, "label": None}, "content_type": JSON}, NO_DIGIT),
    "json, label in the query": ("?label=4", {"data": {"drawing": DRAWING}, "content_type": JSON}, 4),
    "pixels": ("", {"data": {"pixels": np.asarray(draw(7, 28)).tolist(), "label": 3}, "content_type": JSON}, 3),
    "form": ("", form("3"), 3),
    "form null": ("", form("null"), NO_DIGIT),
    "image": ("?label=0", {"data": PNG, "content_type": "image/png"}, 0),
    "image null": ("?label=null", {"data": PNG, "content_type": "image/png"}, NO_DIGIT),
    "gzip": (
        "",
        {
            "data": gzip.compress(json.dumps({"drawing": DRAWING, "label": 3}).encode()),
            "content_type": JSON,
            "HTTP_CONTENT_ENCODING": "gzip",
        },
        3,
    ),
}


@pytest.mark.parametrize("kind", BODIES)
def test_every_kind_of_body_takes_a_label(client: Client, kind: str) -> None:
    query, request, label = BODIES[kind]
    answer = client.post(URL + query, **request)
    assert answer.status_code == 201, answer.content
    assert answer.json()["label"] == (None if label == NO_DIGIT else label)
    assert Correction.objects.get().label == label


@pytest.mark.parametrize("label", ["7", 7.5, 7.0, True, False, 10, -1, [], {}, "null", "", [7]], ids=repr)
def test_a_bad_label_in_json_is_refused(client: Client, label: Any) -> None:
    answer = send(client, label)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_label")
    assert not Correction.objects.exists()


@pytest.mark.parametrize("label", ["", "10", "-1", "7.5", "true", "none", " 7", "07", "٧", "NULL"])
def test_a_bad_label_in_a_form_or_query_is_refused(client: Client, label: str) -> None:
    for answer in (client.post(URL, **form(label)), client.post(f"{URL}?label={label}", PNG, content_type="image/png")):
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_label")


def test_a_missing_label_is_refused(client: Client) -> None:
    file = SimpleUploadedFile("seven.png", PNG, "image/png")
    for answer in (
        client.post(URL, {"drawing": DRAWING}, content_type=JSON),
        client.post(URL, {"drawing": file}),
        client.post(URL, PNG, content_type="image/png"),
        client.post(URL, {"drawing": file, "label": SimpleUploadedFile("label", b"7")}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_label")


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        *((body, JSON, 400, "invalid_json") for body in ("", '{"drawing":', "[" * 100_000, b"\xff", '{"label": NaN}')),
        *((body, JSON, 400, "not_an_object") for body in ("null", "[]", "1", '"x"')),
        ("{}", JSON, 400, "missing_drawing"),
        ('{"label": 7}', JSON, 400, "missing_drawing"),
        *((f'{{"drawing": {value}, "label": 7}}', JSON, 400, "invalid_type") for value in ("null", "1", "[]", "{}")),
        ('{"drawing": "data:,", "label": 7}', JSON, 400, "invalid_data_url"),
        ('{"drawing": "data:image/png;base64,!!!!", "label": 7}', JSON, 400, "invalid_base64"),
        ('{"pixels": [0], "label": 7}', JSON, 400, "invalid_pixels"),
        ('{"drawing": "data:image/png;base64,", "label": 7}', JSON, 400, "empty_image"),
        (b"8BPS", "image/png", 415, "unsupported_image"),
        (PNG[:60], "image/png", 400, "corrupt_image"),
        (png_header(13300, 13300), "image/png", 413, "image_too_large"),
        (encode(draw(7, (8, 7))), "image/png", 400, "image_too_small"),
        (encode(Image.new("L", (99, 99))), "image/png", 422, "blank_drawing"),
        ("{}", "text/plain", 415, "unsupported_media_type"),
        (b"x" * (django_settings.MAX_BODY_BYTES + 1), JSON, 413, "payload_too_large"),
        (b"x" * (django_settings.MAX_PICTURE_BYTES + 1), "image/png", 413, "payload_too_large"),
    ],
)
def test_a_bad_picture_is_refused_as_by_the_drawing_call(
    client: Client, body: str | bytes, kind: str, status: int, code: str
) -> None:
    path = f"{URL}?label=7" if kind.startswith("image") else URL
    answer = client.post(path, body, content_type=kind)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Correction.objects.exists()


def test_without_a_model_nothing_is_stored(db: None) -> None:
    classifier.forget()
    answer = send(Client(HTTP_HOST="localhost"))
    assert (answer.status_code, answer.json()["code"]) == (503, "model_unavailable")
    assert "Retry-After" in answer
    assert not Correction.objects.exists()


def test_the_page_says_that_it_is_the_source(client: Client) -> None:
    send(client, 1, source="page")
    send(client, 2, source="import")
    send(client, 3, source=["page"])
    assert dict(Correction.objects.values_list("label", "source")) == {1: "page", 2: "api", 3: "api"}


# --- Who may send ---


def test_where_corrections_are_closed_only_reviewers_send(client: Client, settings) -> None:
    settings.CORRECTIONS_OPEN = False
    for headers in (None, account("eve"), account("bob", "change_correction", scopes=("train",))):
        answer = send(client, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "corrections_closed")
    assert send(client, headers=reviewer()).status_code == 201


def test_where_corrections_are_reviewed_they_are_pending_except_a_reviewers(client: Client, settings) -> None:
    settings.CORRECTIONS_REVIEWED = True
    assert send(client, 1).json()["state"] == "pending"
    assert send(client, 2, headers=account("eve")).json()["state"] == "pending"
    assert send(client, 3, headers=reviewer()).json()["state"] == "accepted"
    [mine] = Correction.objects.filter(state="accepted")
    assert (mine.account.username, mine.decided_by.username) == ("ada", "ada")
    assert mine.decided_at
    assert Correction.objects.get(label=2).account.username == "eve"


def test_when_too_many_are_pending_only_a_reviewers_are_stored(client: Client, settings) -> None:
    settings.CORRECTIONS_REVIEWED, settings.MAX_PENDING_CORRECTIONS = True, 2
    assert [send(client, label).status_code for label in (1, 2, 3)] == [201, 201, 503]
    answer = send(client, 4)
    assert (answer.json()["code"], "Retry-After" in answer) == ("corrections_full", True)
    assert send(client, 5, headers=reviewer()).json()["state"] == "accepted"
    Correction.objects.filter(label=1).update(state="rejected")
    assert send(client, 3).status_code == 201
    settings.MAX_PENDING_CORRECTIONS = 0
    assert send(client, 4).status_code == 201


def test_a_session_counts_with_its_csrf_token_and_is_anonymous_without(client: Client, settings) -> None:
    settings.TRAINING_OPEN = False
    client.force_login(User.objects.create_superuser("root"))
    client.cookies["csrftoken"] = token = "c" * 32
    assert send(client, 1).status_code == 201
    assert send(client, 2, headers={"X-CSRFToken": token}).status_code == 201
    accounts = {row.label: row.account for row in Correction.objects.select_related("account")}
    assert accounts[1] is None
    assert accounts[2].username == "root"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:9999"])
def test_another_sites_page_may_not_send(client: Client, origin: str) -> None:
    answer = send(client, headers={"Origin": origin})
    assert (answer.status_code, answer.json()["code"]) == (403, "bad_origin")
    assert not Correction.objects.exists()


# --- Taking back ---


def test_the_sender_takes_a_correction_back_by_its_token(client: Client) -> None:
    for in_body in (False, True):
        sent = send(client).json()
        url, undo = f"{URL}{sent['id']}/", sent["undo"]
        answer = (
            client.delete(url, {"undo": undo}, content_type=JSON) if in_body else client.delete(f"{url}?undo={undo}")
        )
        assert (answer.status_code, answer.content) == (204, b"")
        assert not Correction.objects.exists()
        assert client.delete(f"{url}?undo={undo}").status_code == 404


@pytest.mark.deployments("nginx", "granian", "daphne")
def test_every_server_passes_on_a_label_in_the_query_and_a_deletion(
    deployment: str, request: pytest.FixtureRequest
) -> None:
    client = request.getfixturevalue("deployed_client" if deployment else "client")
    for in_body in (False, True):
        sent = client.post(f"{URL}?label=null", encode(draw(2, brush=29)), content_type="image/png")
        assert (sent.status_code, sent.json()["label"]) == (201, None)
        url, body = f"{URL}{sent.json()['id']}/", {"undo": sent.json()["undo"]}
        assert client.generic("DELETE", url).status_code == 404
        if in_body:
            assert client.generic("DELETE", url, json.dumps(body), content_type=JSON).status_code == 204
        else:
            assert client.generic("DELETE", f"{url}?undo={body['undo']}").status_code == 204


def test_a_stranger_and_a_wrong_or_old_token_take_nothing_back(client: Client, monkeypatch) -> None:
    first, other = send(client, 7).json(), send(client, 1).json()
    url = f"{URL}{first['id']}/"
    sent_at = time.time() - 3700
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: sent_at)
        old = signing.TimestampSigner(salt="recognition.corrections.undo").sign(str(first["id"]))
    forged = signing.TimestampSigner(salt="another").sign(str(first["id"]))
    for token in (None, "", "x", "null", other["undo"], first["undo"] + "x", old, forged):
        query = "" if token is None else f"?undo={token}"
        answer = client.delete(url + query)
        assert (answer.status_code, answer.json()["code"]) == (404, "no_correction"), token
    for body in ([], None, {"undo": 7}, {"undo": None}, {}):
        assert client.delete(url, json.dumps(body), content_type=JSON).json()["code"] == "no_correction"
    answer = client.delete(url, headers=account("eve", scopes=("review",)))
    assert (answer.status_code, answer.json()["code"]) == (404, "no_correction")
    assert Correction.objects.count() == 2


def test_a_token_lasts_almost_an_hour(client: Client, monkeypatch) -> None:
    sent = send(client).json()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3590)
    assert client.delete(f"{URL}{sent['id']}/?undo={sent['undo']}").status_code == 204


def test_a_reviewer_deletes_any(client: Client) -> None:
    sent, headers = send(client).json(), reviewer()
    assert client.delete(f"{URL}{sent['id']}/", headers=headers).status_code == 204
    answer = client.delete(f"{URL}{sent['id']}/", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "no_correction")


# --- The picture's hashes ---


def test_a_third_of_all_pictures_is_held_out() -> None:
    sums = [hashlib.sha256(grid.tobytes()).hexdigest() for grid in random_grids(600)]
    assert 150 < sum(map(is_held_out, sums)) < 250
    assert is_held_out("00000003" + "f" * 56)
    assert not is_held_out("00000004" + "0" * 56)


def test_nearly_equal_pictures_have_one_signature() -> None:
    levels = np.zeros((28, 28), np.uint8)
    levels[5:8, 5:20] = 255
    changed = levels.copy()
    changed[6, 6] = 250
    assert average_hash(levels) == average_hash(changed) != average_hash(levels.T)
    assert average_hash(levels) == "007c000000000000"
    assert new_correction(grid=levels / np.float32(255)).signature == average_hash(levels)
