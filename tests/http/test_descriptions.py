"""What people write on a run: name, notes, tags and the baseline, through the API and the admin."""

import json
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from digits_site.web.admin.actions import STATE_FIELD
from tests.support.admin_pages import RUNS, act, text_of
from tests.support.refusals import assert_refused
from tests.support.runs import make_run
from training.models import Status, TrainingRun

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


def describe(client: Client, run: TrainingRun, **values: Any) -> Any:
    return client.patch(f"/api/runs/{run.pk}/", json.dumps(values), content_type="application/json")


def found(client: Client, **query: object) -> list[int]:
    return [run["id"] for run in client.get("/api/runs/", query).json()["results"]]


def test_a_run_is_named_and_found_by_name_notes_and_tags(client: Client) -> None:
    plain, named = make_run(Status.COMPLETED), make_run(Status.ERROR)
    answer = describe(client, named, name=" Wider strokes ", notes="Felt pen,\nblue.", tags=["Keep", "pen-2", "keep"])
    assert answer.status_code == 200
    run = answer.json()
    assert (run["name"], run["notes"], run["tags"]) == ("Wider strokes", "Felt pen,\nblue.", ["keep", "pen-2"])
    assert client.get(f"/api/runs/{named.pk}/").json() == run
    for query in ({"tag": "KEEP"}, {"tag": ["keep", "pen-2"]}, {"search": "wider BLUE"}, {"search": "pen-2"}):
        assert found(client, **query) == [named.pk], query
    assert found(client, search="wider red") == []
    assert found(client, tag="missing") == []
    assert set(found(client, search="original")) >= {plain.pk, named.pk}, "the preset"
    assert describe(client, named, tags=[]).json()["tags"] == []
    assert describe(client, named).json()["name"] == "Wider strokes", "what is absent stays"


def test_only_one_run_is_the_baseline(client: Client) -> None:
    first, second = make_run(Status.COMPLETED), make_run(Status.COMPLETED)
    for run in (first, second, second):
        assert describe(client, run, baseline=True).json()["baseline"] is True
        assert found(client, baseline="true") == [run.pk]
    assert describe(client, second, baseline=False).json()["baseline"] is False
    assert found(client, baseline="true") == []
    assert_refused(client.get("/api/runs/", {"baseline": "yes"}), 400, "invalid_parameter")


@pytest.mark.parametrize(
    "values",
    [
        {"name": "n" * 101},
        {"name": None},
        {"name": ["a"]},
        {"name": "a\0b"},
        {"notes": "n" * 5001},
        {"tags": "keep"},
        {"tags": ["two words"]},
        {"tags": ["t" * 41]},
        {"tags": [""]},
        {"tags": [f"tag{number}" for number in range(11)]},
        {"tags": [{"a": 1}]},
        {"tags": ["\u0130" * 40]},
        {"name": "\u202eevil"},
        {"name": "two\nlines"},
        {"name": True},
        {"baseline": "true"},
        {"status": "completed"},
        {"test_accuracy": 1.0},
    ],
)
def test_other_descriptions_are_refused_and_change_nothing(client: Client, values: dict[str, Any]) -> None:
    run = make_run(Status.COMPLETED, name="before")
    answer = describe(client, run, **values)
    assert_refused(answer, 400, "invalid_parameter")
    assert client.get(f"/api/runs/{run.pk}/").json()["name"] == "before"


def test_a_refusal_is_a_sentence_and_what_is_stored_can_be_sent_back(client: Client) -> None:
    run = make_run(Status.COMPLETED)
    answer = describe(client, run, tags=["pen", "night shift"]).json()
    assert answer["message"] == "tags: A tag is one word of letters, digits, “_”, “-” and “.”."
    assert answer["field"] == "tags"
    assert describe(client, run, name=True).json()["message"] == "name: Not a valid string."
    stored = describe(client, run, tags=["Cafe\u0301", "ÅNGSTRÖM", "数字"]).json()["tags"]
    assert stored == ["café", "ångström", "数字"]
    assert describe(client, run, tags=stored).json()["tags"] == stored
    assert found(client, tag="CAFE\u0301") == [run.pk]


@pytest.mark.parametrize("name", ["tag", "search"])
def test_many_conditions_are_refused_before_the_database_plans_them(client: Client, name: str) -> None:
    many = {"tag": [f"t{number}" for number in range(300)], "search": " ".join(map(str, range(300)))}[name]
    answer = client.get("/api/runs/", {name: many})
    assert_refused(answer, 400, "invalid_parameter")
    assert (answer.json()["field"], answer.json()["message"]) == (name, f"{name}: Give at most 10 words.")
    assert found(client, **{name: ["a"] * 300 if name == "tag" else "a " * 300}) == [], "the same word is one"


@pytest.mark.parametrize(
    "path", ["/api/runs/?tag=%00", "/api/runs/?search=a%00b", "/admin/training/trainingrun/?q=%00"]
)
def test_a_query_with_a_nul_is_refused(admin_client: Client, path: str) -> None:
    """PostgreSQL takes none."""
    assert admin_client.get(path).status_code == 400


def test_what_an_account_writes_is_in_the_log_and_what_does_not_change_is_not(admin_client: Client) -> None:
    run = make_run(Status.COMPLETED)
    for _ in range(2):
        assert act(admin_client, run, "describe", name="More <b>ink</b>", tags="pen keep", baseline="on")
    (entry,) = LogEntry.objects.all()
    assert entry.user == User.objects.get()
    assert (
        entry.change_message
        == "Name “More <b>ink</b>”, before “”. Tags keep, pen, before none. Chosen as the baseline."
    )
    listed = admin_client.get(RUNS, {"tags__name": "pen"}).content.decode()
    assert "More &lt;b&gt;ink" in listed
    assert "<b>ink" not in listed
    assert f"run {run.pk}" in admin_client.get(RUNS, {"q": "keep ink"}).content.decode()
    assert "run-spark" not in admin_client.get(RUNS, {"q": "no such words"}).content.decode()


def tag_several(client: Client, runs: list[TrainingRun], **form: str) -> Any:
    """Choose *Name and tags* of several runs from the list's menu, and save; return the page that follows."""
    fields = {"action": "describe", "_selected_action": [run.pk for run in runs]}
    asked = client.post(RUNS, fields).content.decode()
    assert "Give a tag" not in asked, "nothing is wrong yet"
    assert 'value="Save"' in asked
    assert ">Cancel<" in asked
    return client.post(RUNS, fields | {STATE_FIELD: "", "add": "", "remove": ""} | form, follow=True)


def test_several_runs_get_and_lose_tags_each_with_its_entry_in_the_log(admin_client: Client) -> None:
    first, second, other = (make_run(Status.COMPLETED) for _ in range(3))
    describe(admin_client, first, tags=["old", "pen"])
    LogEntry.objects.all().delete()
    text = text_of(tag_several(admin_client, [first, second], add="Pen blue", remove="OLD missing"))
    assert f"The tags of runs {first.pk} and {second.pk} are changed." in text
    tags = {run.pk: sorted(map(str, run.tags.all())) for run in (first, second, other)}
    assert tags == {first.pk: ["blue", "pen"], second.pk: ["blue", "pen"], other.pk: []}
    entries = {entry.object_id: entry.change_message for entry in LogEntry.objects.all()}
    assert entries == {
        str(first.pk): "Tags blue, pen, before old, pen.",
        str(second.pk): "Tags blue, pen, before none.",
    }


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({}, "Give a tag to add or to remove."),
        ({"add": "a/b"}, "would have the tags a/b"),
        ({"add": "nine ten"}, "no more than 10 elements"),
    ],
)
def test_tags_of_several_runs_that_are_refused_change_none(
    admin_client: Client, form: dict[str, str], reason: str
) -> None:
    runs = [make_run(Status.COMPLETED) for _ in range(2)]
    describe(admin_client, runs[0], tags=[f"tag{number}" for number in range(9)])
    LogEntry.objects.all().delete()
    assert reason in text_of(tag_several(admin_client, runs, **form))
    assert [run.tags.count() for run in runs] == [9, 0]
    assert not LogEntry.objects.exists()


def test_a_request_to_train_can_carry_a_description(client: Client) -> None:
    body = {"preset": "fast", "name": "Nightly", "tags": ["nightly"], "notes": "By cron."}
    answer = client.post("/api/retrain_model/", json.dumps(body), content_type="application/json")
    assert answer.status_code == 202
    run = client.get(f"/api/runs/{answer.json()['run']}/").json()
    assert (run["name"], run["tags"], run["notes"], run["baseline"]) == ("Nightly", ["nightly"], "By cron.", False)
    assert "name" not in run["parameters"]
