"""The wall of corrections in the admin: what it shows first and why, and decisions on many, logged and undone."""

import hashlib
import io
import re
import zipfile
from collections.abc import Iterable
from datetime import datetime, timedelta
from datetime import timezone as timezones

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recognition.corrections import reviewing
from recognition.corrections.suspicion import MANY_FROM_ONE_ADDRESS, MANY_NEAR_DUPLICATES
from recognition.models import NO_DIGIT, Correction, ModelVersion
from tests.support.admin_pages import superuser_client, text_of  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
WALL = "/admin/recognition/correction/"
DECIDE = f"{WALL}decide/"
QUERIES = 8  # at most: session, user, permissions, count, corrections, pictures, and two for the reasons
SURE = {"predicted": 1, "confidence": 0.999, "uncertain": False}


def add(count: int = 1, first: int = 0, **values: object) -> list[Correction]:
    """Add pending corrections of pictures that differ, from number `first` on; every third one is held out."""
    rows = []
    for n in range(first, first + count):
        picture = n.to_bytes(2, "big") * 392
        fields = {"label": 7, "signature": f"{n:016x}", "ink": 0.13, "held_out": n % 3 == 0, "source": "api"} | values
        rows.append(Correction(picture=picture, picture_sha256=hashlib.sha256(picture).hexdigest(), **fields))
    return Correction.objects.bulk_create(rows)


def shown(client: Client, query: str = "") -> list[int]:
    """Return the IDs of the wall's tiles, in order."""
    return [int(pk) for pk in re.findall(r'data-tile="(\d+)"', client.get(f"{WALL}{query}").content.decode())]


def reasons(client: Client, query: str = "") -> list[str]:
    """Return the reasons on all tiles."""
    return re.findall(r'class="tile-reason">([^<]*)<', client.get(f"{WALL}{query}").content.decode())


def decide(client: Client, decision: str, chosen: list[Correction], query: str = "", **fields: object) -> str:
    """Decide as the form does; return the text of the page that follows."""
    body = {"decision": decision, "_selected_action": [one.pk for one in chosen], **fields}
    return text_of(client.post(f"{DECIDE}{query}", body, follow=True))


def facts(*corrections: Correction) -> list[tuple[str, int]]:
    by_id = Correction.objects.in_bulk([one.pk for one in corrections])
    return [(by_id[one.pk].state, by_id[one.pk].label) for one in corrections]


def staff(*permissions: str) -> Client:
    user = User.objects.create_user(f"staff {User.objects.count()}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(HTTP_HOST="localhost")
    client.force_login(user)
    return client


def test_the_wall_shows_pending_corrections_as_pictures(client: Client) -> None:
    pending, *_ = add(), add(first=1, state="accepted"), add(first=2, state="rejected")
    assert shown(client) == [pending[0].pk]
    html = client.get(WALL).content.decode()
    assert html.count('<img src="data:image/png;base64,') == 1
    assert "<table" not in html


FILTERED = {
    "?state=accepted": [1],
    "?state=all": [0, 1, 2, 3, 4],
    "?label=3": [2],
    f"?label={NO_DIGIT}": [3],
    "?predicted=5": [2],
    "?source=page": [3],
    "?day=2026-01-31": [4],
    "?held_out=1": [0, 3],
    "?held_out=0&label=7": [4],
    f"?sender={'a' * 32}": [4],
    "?signature=000000000000000b": [2],
}


def test_filters(client: Client) -> None:
    corrections = [
        *add(first=9),
        *add(first=10, state="accepted"),
        *add(first=11, label=3, predicted=5, confidence=0.5),
        *add(first=12, label=NO_DIGIT, source="page"),
        *add(first=13, created_at=datetime(2026, 1, 31, 12, tzinfo=timezones.utc), sender="a" * 32),
    ]
    found = {query: sorted(shown(client, query)) for query in FILTERED}
    assert found == {query: [corrections[place].pk for place in places] for query, places in FILTERED.items()}


def test_an_unknown_filter_leads_back_to_the_wall(client: Client) -> None:
    for query in ["?state=x", "?label=11", "?day=x", "?reason=3", "?sender=%01", "?held_out=2"]:
        chain = client.get(f"{WALL}{query}", follow=True).redirect_chain
        assert chain == [(f"{WALL}?e=1", 302)], query
    assert client.get(f"{WALL}?sender=%00").status_code == 400, "as everywhere"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (SURE, "model sure of 1"),
        (SURE | {"label": NO_DIGIT}, "model sure of 1"),
        ({"ink": 0.5}, "blot"),
        ({"ink": 0.001}, "nearly empty"),
        ({"predicted": 7, "confidence": 0.2, "uncertain": True}, "model sees no digit"),
    ],
)
def test_a_likely_mistake_comes_first_and_says_why(client: Client, values: dict[str, object], words: str) -> None:
    suspicious, _ = add(**values), add(3, first=1)
    assert shown(client)[0] == suspicious[0].pk
    assert reasons(client) == [words]


@pytest.mark.parametrize(
    "values",
    [
        {"predicted": 7, "confidence": 0.999},
        SURE | {"uncertain": True},
        SURE | {"confidence": 0.4},
        {"ink": 0.5, "label": NO_DIGIT},
    ],
)
def test_no_reason_to_suspect(client: Client, values: dict[str, object]) -> None:
    add(**values)
    assert reasons(client) == []


def test_sure_is_what_the_model_calls_sure(client: Client) -> None:
    model = ModelVersion.objects.get()
    ModelVersion.objects.update(uncertain_below=0.6)
    add(model=model, predicted=1, confidence=0.7)
    assert reasons(client) == ["model sure of 1"]
    ModelVersion.objects.update(uncertain_below=0.8)
    assert reasons(client) == []


def test_near_duplicates_with_another_label(client: Client) -> None:
    sevens, _ = add(2, signature="f" * 16), add(first=5)
    accepted = add(first=6, label=1, signature="f" * 16, state="accepted")
    assert set(shown(client)[:2]) == {one.pk for one in sevens}
    assert reasons(client, "?label=7") == reasons(client) == ["near-duplicate labelled 1"] * 2
    decide(client, "reject", accepted)
    assert reasons(client) == []


def test_many_near_duplicates(client: Client) -> None:
    add(MANY_NEAR_DUPLICATES - 1, signature="f" * 16)
    assert reasons(client) == []
    add(first=50, signature="f" * 16)
    assert reasons(client) == [f"{MANY_NEAR_DUPLICATES} similar"] * MANY_NEAR_DUPLICATES


def test_many_from_one_address(client: Client) -> None:
    add(MANY_FROM_ONE_ADDRESS - 1, sender="a" * 32), add(MANY_FROM_ONE_ADDRESS, first=50, sender="")
    assert reasons(client) == []
    add(first=90, sender="a" * 32)
    assert reasons(client) == [f"{MANY_FROM_ONE_ADDRESS} from one address"] * MANY_FROM_ONE_ADDRESS
    assert len(shown(client, "?reason=4")) == MANY_FROM_ONE_ADDRESS


def test_the_strongest_reason_counts_most_and_more_reasons_count_more(client: Client) -> None:
    weak = add(first=1, predicted=7, confidence=0.2, uncertain=True)[0]
    blot, sure, both = add(first=2, ink=0.5)[0], add(first=3, **SURE)[0], add(first=4, ink=0.5, **SURE)[0]
    surer = add(first=5, **SURE | {"confidence": 0.9999})[0]
    assert shown(client) == [one.pk for one in (both, surer, sure, blot, weak)]


def test_newest_first_is_another_order(client: Client) -> None:
    now = timezone.now()
    old, new = (add(first=n, ink=0.5, created_at=now - timedelta(days=9 - n))[0].pk for n in (0, 5))
    newest = add(first=8, created_at=now)[0].pk
    assert shown(client)[2:] == [newest]
    assert shown(client, "?o=-1") == [newest, new, old]


def test_accept_and_reject_many(client: Client) -> None:
    one, two, three, other = add(4)
    assert "2 corrections accepted." in decide(client, "accept", [one, two])
    assert "1 correction rejected." in decide(client, "reject", [three])
    assert facts(one, two, three, other) == [("accepted", 7), ("accepted", 7), ("rejected", 7), ("pending", 7)]
    one.refresh_from_db()
    assert str(one.decided_by) == "admin"
    assert one.decided_at
    assert timezone.now() - one.decided_at < timedelta(minutes=1)


@pytest.mark.parametrize(("decision", "label", "name"), [("0", 0, "0"), ("3", 3, "3"), ("10", NO_DIGIT, "no digit")])
def test_relabel_many(client: Client, decision: str, label: int, name: str) -> None:
    corrections = add(3)
    assert f"3 corrections relabelled “{name}” and accepted." in decide(client, decision, corrections)
    assert facts(*corrections) == [("accepted", label)] * 3


def test_everything_that_the_filters_match(client: Client) -> None:
    sevens, threes = add(130), add(10, first=200, label=3)
    [newest] = re.findall(r'name="newest" value="(\d+)"', client.get(f"{WALL}?label=7").content.decode())
    late = add(first=300)  # after the page was loaded
    text = decide(client, "accept", [], "?label=7", select_across="1", newest=newest)
    assert "130 corrections accepted." in text
    assert set(facts(*sevens)) == {("accepted", 7)}
    assert set(facts(*threes)) == {("pending", 3)}
    assert facts(*late) == [("pending", 7)]


def test_the_page_that_follows_keeps_the_filters(client: Client) -> None:
    answer = client.post(f"{DECIDE}?label=7&o=-1", {"decision": "accept", "_selected_action": [add()[0].pk]})
    assert answer.url == f"{WALL}?label=7&o=-1"


def test_a_label_that_the_picture_has_already(client: Client) -> None:
    one = add(label=7)[0]
    other, unrelated = add(label=1)[0], add(first=3, label=7)[0]
    assert one.picture_sha256 == other.picture_sha256
    text = decide(client, "1", [one, unrelated])
    assert "1 correction relabelled “1” and accepted." in text
    assert "1 correction rejected, because another correction gives its picture the new label." in text
    assert facts(one, other, unrelated) == [("rejected", 7), ("pending", 1), ("accepted", 1)]
    decide(client, "undo", [])
    assert facts(one, other, unrelated) == [("pending", 7), ("pending", 1), ("pending", 7)]


def test_two_labels_of_one_picture_become_one(client: Client) -> None:
    one, two = add(label=7)[0], add(label=1)[0]
    decide(client, "3", [one, two])
    assert facts(one, two) == [("accepted", 3), ("rejected", 1)]


def test_accepting_another_label_of_a_picture_rejects_the_accepted_one(client: Client) -> None:
    old, new = add(label=7, state="accepted")[0], add(label=1)[0]
    text = decide(client, "accept", [new])
    assert "1 correction accepted. 1 correction rejected, because its picture got another label." in text
    assert facts(old, new) == [("rejected", 7), ("accepted", 1)]
    assert LogEntry.objects.count() == 2
    decide(client, "undo", [])
    assert facts(old, new) == [("accepted", 7), ("pending", 1)]
    decide(client, "accept", [old, new])
    assert facts(old, new) == [("rejected", 7), ("accepted", 1)]


def test_of_several_labels_of_one_picture_the_newest_is_accepted(client: Client) -> None:
    corrections = [add(label=label)[0] for label in (7, 1, 2)]
    assert "1 correction accepted. 2 corrections rejected" in decide(client, "accept", corrections)
    assert facts(*corrections) == [("rejected", 7), ("rejected", 1), ("accepted", 2)]


def test_a_visitor_sends_the_new_label_at_the_same_moment(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    one, look = add()[0], reviewing.labels_of_pictures

    def look_too_early(sha256s: Iterable[str]) -> set[tuple[str, int]]:
        monkeypatch.setattr(reviewing, "labels_of_pictures", look)
        found = look(sha256s)
        add(label=1)  # its row goes when the decision is rolled back, and then the second try succeeds
        return found

    monkeypatch.setattr(reviewing, "labels_of_pictures", look_too_early)
    assert "1 correction relabelled “1” and accepted." in decide(client, "1", [one])
    assert LogEntry.objects.count() == 1


def test_every_decision_is_in_the_log(client: Client) -> None:
    one, two = add(2)
    decide(client, "accept", [one, two])
    decide(client, "4", [one])
    messages = {e.object_id: e.get_change_message() for e in LogEntry.objects.order_by("pk")}
    assert messages[str(two.pk)] == "Changed state from pending to accepted."
    assert messages[str(one.pk)] == "Changed label from 7 to 4."
    assert LogEntry.objects.count() == 3
    page = text_of(client.get(f"{WALL}{one.pk}/change/"))
    assert "admin: Changed label from 7 to 4." in page
    assert "Changed label from 7 to 4." in text_of(client.get(f"{WALL}{one.pk}/history/"))


def test_undo_takes_back_one_decision_after_the_other(client: Client) -> None:
    one, two = add(2)
    decide(client, "accept", [one, two])
    decide(client, "4", [one])
    decide(client, "reject", [two])
    undone = [decide(client, "undo", []) and facts(one, two) for _ in range(3)]
    assert undone == [
        [("accepted", 4), ("accepted", 7)],
        [("accepted", 7), ("accepted", 7)],
        [("pending", 7), ("pending", 7)],
    ]
    one.refresh_from_db()
    assert (one.decided_by, one.decided_at) == (None, None)
    assert "There is no decision to undo." in decide(client, "undo", [])


def test_undo_touches_neither_other_reviewers_decisions_nor_what_changed_since(client: Client) -> None:
    one, two, three = add(3)
    decide(client, "accept", [one, two])
    decide(staff("view_correction", "change_correction"), "reject", [two, three])
    decide(client, "undo", [])
    assert facts(one, two, three) == [("pending", 7), ("rejected", 7), ("rejected", 7)]


def test_a_decision_can_be_set_back_to_pending(client: Client) -> None:
    one = add(state="accepted")[0]
    assert "1 correction set to pending." in decide(client, "pending", [one])
    assert facts(one) == [("pending", 7)]


def test_nothing_selected(client: Client) -> None:
    add()
    assert "Nothing changed. Select other corrections." in decide(client, "accept", [])
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        *({"decision": "burn"}, {}, {"decision": "accept", "_selected_action": "x"}),
        *({"decision": "accept", "select_across": "1", "newest": newest} for newest in ("", "x", "9" * 19)),
    ],
)
def test_a_decision_that_the_wall_does_not_offer(client: Client, fields: dict[str, str]) -> None:
    assert client.post(DECIDE, fields).status_code == 400


def test_the_script_gets_json(client: Client) -> None:
    one = add()[0]
    body = {"decision": "10", "_selected_action": one.pk}
    answer = client.post(DECIDE, body, headers={"Accept": "application/json"}).json()
    assert answer["level"] == "success"
    assert answer["tiles"] == [{"id": one.pk, "state": "accepted", "label": "no digit"}]


def test_who_may_only_view_sees_a_wall_without_decisions() -> None:
    one, viewer = add()[0], staff("view_correction")
    html = viewer.get(WALL).content.decode()
    assert shown(viewer) == [one.pk]
    assert "checkbox" not in html
    assert 'name="decision"' not in html
    assert viewer.post(DECIDE, {"decision": "accept", "_selected_action": one.pk}).status_code == 403
    assert facts(one) == [("pending", 7)]
    assert "pending" in text_of(viewer.get("/admin/"))
    assert "Corrections" not in text_of(staff("view_trainingrun").get("/admin/"))


def test_a_corrections_page_shows_everything_and_edits_nothing(client: Client) -> None:
    one = add(sender="a" * 32, signature="f" * 16, model=ModelVersion.objects.get(), **SURE)[0]
    add(first=2, label=1, signature="f" * 16)
    text = text_of(client.get(f"{WALL}{one.pk}/change/"))
    for words in ("1, 99.9% sure", "model sure of 1, near-duplicate labelled 1", "1 more", one.picture_sha256):
        assert words in text
    assert 'name="_save"' not in client.get(f"{WALL}{one.pk}/change/").content.decode()
    assert client.post(f"{WALL}{one.pk}/change/", {"label": 3}).status_code == 403
    assert client.get(f"{WALL}add/").status_code == 403


def test_the_front_page_counts(client: Client) -> None:
    add(3), add(4, first=10, state="accepted"), add(5, first=20, state="rejected")  # 12 is held out
    html = client.get("/admin/").content.decode()
    for query, words in (
        ("", "3 pending"),
        ("?state=accepted", "4 accepted"),
        ("?state=accepted&amp;held_out=1", "1 of them held out"),
        ("?state=rejected", "5 rejected"),
    ):
        assert f'<a href="{WALL}{query}">{words}</a>' in html


def test_the_wall_takes_a_bounded_number_of_queries(client: Client) -> None:
    def queries(query: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"{WALL}{query}").status_code == 200
        return len(captured)

    for count, first in ((5, 0), (300, 1000)):
        add(count, first, sender="a" * 32, **SURE)
        add(count, first, label=1, ink=0.5)
        for query in ("", "?state=all&p=2", "?reason=8", "?label=7&day=2026-01-31", "?o=-1"):
            assert queries(query) <= QUERIES, query


def test_a_decision_takes_a_bounded_number_of_queries(client: Client) -> None:
    for corrections in (add(5), add(100, first=100)):
        with CaptureQueriesContext(connection) as captured:
            decide(client, "3", corrections)
        assert len(captured) <= 2 * QUERIES + 10


@pytest.mark.parametrize("kind", ["idx", "npz"])
def test_export_of_the_accepted_ones(client: Client, kind: str) -> None:
    add(2), add(5, first=10, state="accepted")
    assert f'href="{WALL}export/{kind}/"' in client.get(WALL).content.decode()
    answer = client.get(f"{WALL}export/{kind}/")
    assert answer["Content-Disposition"] == f'attachment; filename="corrections-{kind}.zip"'
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert len(names) == {"idx": 4, "npz": 2}[kind]
    table = zipfile.ZipFile(io.BytesIO(answer.content)).read("corrections.csv") if kind == "npz" else b"\n" * 6
    assert table.count(b"\n") == 6  # a heading and the five
