"""What the admin does beyond looking: acts that ask first, exports, and its front page."""

import csv
import io
import json
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from recognition import registry
from recognition.models import Activation
from tests.support.admin_pages import MODELS, RUNS, act, hidden_fields, superuser_client, text_of  # noqa: F401
from tests.support.constant_models import constant_model
from tests.support.runs import make_run
from training.models import Status, TrainingRun
from training.worker import heartbeat

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


def test_before_a_worse_model_serves_the_admin_says_so(client: Client) -> None:
    model = registry.publish(constant_model(1), test_accuracy=0.5)
    asked = text_of(client.get(f"{MODELS}{model.pk}/act/activate/"))
    assert "Its test accuracy is 50.00%." in asked
    assert "is less accurate than" in asked
    assert Activation.current_model_id() != model.pk


def test_train_with_changes_is_filled_in_and_checked(client: Client) -> None:
    old = make_run(Status.COMPLETED)
    url = f"{RUNS}{old.pk}/act/train_with_changes/"
    assert 'value="60000"' in client.get(url).content.decode()
    given = {"preset": "fast", "epochs": 2, "batch_size": 64, "learning_rate": 0.002, "samples": 99, "seed": ""}
    given |= hidden_fields(client, url)
    refused = text_of(client.post(url, given | {"epochs": 999}))
    assert "Ensure this value is less than or equal to 100" in refused
    assert TrainingRun.objects.newest() == old
    assert "is queued" in text_of(client.post(url, given, follow=True))
    new = TrainingRun.objects.newest()
    assert new
    assert (new.preset, new.parameters["epochs"], new.parameters["samples"]) == ("fast", 2, 99)
    assert isinstance(new.parameters["seed"], int), "a new one"


def test_who_did_what_stays_in_the_log(client: Client) -> None:
    run = make_run(Status.IN_PROGRESS, attempt=1)
    act(client, run, "stop")
    assert LogEntry.objects.get().get_change_message() == "Stop requested."


def test_two_at_once_are_not_acted_on(client: Client) -> None:
    runs = [make_run(Status.COMPLETED) for _ in range(2)]
    page = client.post(RUNS, {"action": "train_again", "_selected_action": [run.pk for run in runs]}, follow=True)
    assert "Select one training run." in text_of(page)


@pytest.mark.parametrize("path", ["act/fly/", "act/stop/"])
def test_an_act_that_is_none_or_on_nothing_is_not_found(client: Client, path: str) -> None:
    assert client.get(f"{RUNS}{999 if 'stop' in path else TrainingRun.objects.get().pk}/{path}").status_code == 404


def test_the_gain_over_the_model_in_service_is_signed(client: Client) -> None:
    serving = Activation.current().model.test_accuracy
    make_run(Status.COMPLETED, test_accuracy=serving + 0.0012)
    make_run(Status.COMPLETED, test_accuracy=serving - 0.0034)
    text = text_of(client.get(RUNS))
    assert "+0.12" in text
    assert "−0.34" in text
    assert "±0" in text, "the shipped run against itself"


def test_every_row_has_its_curve(client: Client) -> None:
    make_run(Status.COMPLETED, epochs=3)
    html = client.get(RUNS).content.decode()
    assert "Training accuracy from 90.00% to 96.67%" in html
    assert html.count('class="run-spark"') == TrainingRun.objects.count()


def test_a_runs_page_holds_its_results_and_how_to_run_it_again(client: Client) -> None:
    run = TrainingRun.objects.get()
    html = client.get(f"{RUNS}{run.pk}/change/").content.decode()
    data = re.search(r'<script id="run-data" type="application/json">(.*?)</script>', html)
    assert data
    assert len(json.loads(data[1])["epochs"]) == 60
    assert "manage.py train --preset handwriting --epochs 60" in html
    assert f'href="/runs/{run.pk}/"' in html


def export(client: Client, kind: str, runs: list[TrainingRun]) -> HttpResponse:
    answer = client.post(RUNS, {"action": f"export_{kind}", "_selected_action": [run.pk for run in runs]})
    assert f"runs.{kind}" in answer["Content-Disposition"]
    return answer


def test_runs_are_exported_for_spreadsheets_without_formulas(client: Client) -> None:
    mallory = User.objects.create_user("=HYPERLINK(1)")
    runs = [make_run(Status.COMPLETED, test_accuracy=0.98, requested_by=mallory), make_run(Status.ERROR, epochs=0)]
    rows = list(csv.DictReader(io.StringIO(export(client, "csv", runs).content.decode())))
    assert [int(row["id"]) for row in rows] == sorted((run.pk for run in runs), reverse=True)
    assert rows[1]["requested_by"] == "'=HYPERLINK(1)"
    assert (rows[1]["epochs_done"], rows[1]["last_accuracy"], rows[0]["last_accuracy"]) == ("2", "0.95", "")


def test_runs_are_exported_for_programs_with_their_epochs(client: Client) -> None:
    run = make_run(Status.COMPLETED)
    exported = json.loads(export(client, "json", [run]).content)
    assert exported == [client.get(f"/api/runs/{run.pk}/").json()]


def test_the_front_page_tells_what_serves_and_who_works(client: Client, django_assert_max_num_queries) -> None:
    heartbeat.beat()
    with django_assert_max_num_queries(14):
        text = text_of(client.get("/admin/"))
    assert "99.55% of the test digits are read correctly by model" in text
    assert "activated at install" in text
    assert f"{heartbeat.worker_name()}, seen 0 s ago" in text
    assert "Redis connected" in text


def test_the_front_page_opens_without_redis(client: Client, settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    heartbeat.client.cache_clear()
    try:
        assert "Redis unreachable" in text_of(client.get("/admin/"))
    finally:
        heartbeat.client.cache_clear()


def test_the_front_page_shows_nobody_more_than_they_may_see(client: Client) -> None:
    client.force_login(User.objects.create_user("eve", password="a long enough password", is_staff=True))
    text = text_of(client.get("/admin/"))
    assert "In service" not in text
    assert "Newest runs" not in text
