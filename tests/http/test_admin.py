"""The admin: a history to look at and act on, acts that ask first, exports, and its front page."""

import csv
import io
import json
import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from recognition.models import Activation
from tests.support.admin_pages import MODELS, RUNS, act, confirm, hidden_fields, superuser_client, text_of  # noqa: F401
from tests.support.constant_models import publish_constant_model
from tests.support.runs import make_run
from tests.support.shipped import HISTORY, SHIPPED_EPOCHS
from training.models import Status, TrainingRun
from training.worker import presence

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


def test_the_list_tells_the_story_newest_first_with_few_queries(client: Client, django_assert_max_num_queries) -> None:
    make_run(Status.ERROR, error_code="diverged", error="The loss became nan.")
    for _ in range(60):
        make_run(Status.COMPLETED, test_accuracy=0.9876)
    with django_assert_max_num_queries(14):
        page = client.get(RUNS)
    text = text_of(page)
    assert "98.76%" in text
    assert "2 of 3" in text
    assert "1 min 35 s" in text, "how long it ran"
    assert "5.0 s" in text, "how long it waited"
    numbers = [int(n) for n in re.findall(r">run (\d+)<", page.content.decode())]
    assert len(numbers) == 50
    assert numbers == sorted(numbers, reverse=True)
    assert "diverged" not in text_of(client.get(RUNS, {"status__exact": "completed"}))
    assert client.get(RUNS, {"queued_at__year": timezone.now().year}).status_code == 200


def run_data(html: str) -> Any:
    """What the page's script draws."""
    return json.loads(html.split('<script id="run-data" type="application/json">')[1].split("</script>")[0])


@pytest.mark.parametrize("status", Status.values)
def test_the_page_of_a_run_in_every_state(client: Client, status: str, django_assert_max_num_queries) -> None:
    values = {
        "completed": {"test_accuracy": 0.99, "confusion": [[1 + 99 * (i == j) for j in range(10)] for i in range(10)]},
        "error": {"error_code": "diverged", "error": "The loss became nan.", "error_detail": "Traceback <b>here</b>"},
    }
    run = make_run(Status(status), epochs=0 if status == "queued" else 2, **values.get(status, {}))
    with django_assert_max_num_queries(12):
        page = client.get(f"{RUNS}{run.pk}/change/")
    html, text = page.content.decode(), text_of(page)
    drawn = run_data(html)
    assert "batch_size" in text
    if status == "queued":
        assert "No epoch has finished" in text
    else:
        assert [epoch["accuracy"] for epoch in drawn["epochs"]][1] == pytest.approx(0.95), "the second epoch's accuracy"
    assert len(drawn["epochs"]) == (0 if status == "queued" else 2)
    assert drawn["confusion"] == values.get(status, {}).get("confusion")
    if status == "error":
        assert "<details>" in html
        assert "Traceback &lt;b&gt;here" in html
    unfinished = {"waiting", "queued", "in_progress"}
    assert ("/act/stop/" in html) == (status in unfinished)
    assert ("/act/train_again/" in html) == (status not in unfinished)
    assert 'name="_save"' not in html


def test_the_page_of_the_shipped_run_holds_its_results_and_how_to_run_it_again(client: Client) -> None:
    run = TrainingRun.objects.get()
    page = client.get(f"{RUNS}{run.pk}/change/")
    html, text = page.content.decode(), text_of(page)
    assert f"{run.test_accuracy:.2%}" in text
    assert "tensorflow" in text
    assert len(run_data(html)["epochs"]) == SHIPPED_EPOCHS
    assert f"manage.py train --preset handwriting --epochs {SHIPPED_EPOCHS}" in html
    assert f'href="/runs/{run.pk}/"' in html


def test_stop_from_the_admin(client: Client) -> None:
    run = make_run(Status.IN_PROGRESS, attempt=1)
    assert "is stopping" in act(client, run, "stop")
    run.refresh_from_db()
    assert run.stop_requested_at
    assert "stopping" in text_of(client.get(RUNS))
    assert LogEntry.objects.get().get_change_message() == "Stop requested in the admin."


def test_train_again_from_the_admin(client: Client) -> None:
    """Queued for real, over Redis; no worker serves this database, so the run waits."""
    old = make_run(Status.INTERRUPTED)
    assert "is queued" in act(client, old, "train_again")
    new = TrainingRun.objects.newest()
    assert new
    assert (new.status, new.parameters, str(new.requested_by)) == (
        "queued",
        old.parameters | {"validation_samples": 0},
        "admin",
    ), "complete, though a run of earlier times"
    assert "is waiting" in act(client, old, "train_again"), "one run at a time"
    (second,) = TrainingRun.objects.waiting()
    assert f"Run {second.pk} is cancelled" in act(client, second, "stop")


def test_put_into_service_and_roll_back_from_the_admin(client: Client) -> None:
    shipped = Activation.current_model_id()
    model = publish_constant_model(5)
    run = make_run(Status.COMPLETED, model=model, test_accuracy=0.5)
    asked = text_of(client.get(f"{MODELS}{model.pk}/act/activate/"))
    assert "Its test accuracy is 50.00%." in asked
    assert "is less accurate than" in asked
    assert Activation.current_model_id() == shipped, "reading the question changes nothing"
    assert "is in service" in act(client, run, "activate")
    assert Activation.current_model_id() == model.pk
    listed = text_of(client.get(MODELS))
    assert "admin" in listed, "who put it there"
    assert f"model {shipped} answers all drawings" in text_of(client.get(f"{MODELS}roll-back/"))
    assert Activation.current_model_id() == model.pk, "reading the question changes nothing"
    assert f"Rolled back: model {shipped} is in service" in confirm(client, f"{MODELS}roll-back/")
    assert Activation.current_model_id() == shipped
    assert "no earlier model" in text_of(client.get(f"{MODELS}roll-back/", follow=True))
    assert "is in service" in act(client, model, "activate")
    assert Activation.current_model_id() == model.pk
    failed = make_run(Status.ERROR)
    assert "has no model" in text_of(client.get(f"{RUNS}{failed.pk}/act/activate/", follow=True)), "nothing is asked"


def test_an_account_is_shown_and_offered_only_what_it_may_see_and_do(client: Client) -> None:
    """That it may not act is in access_matrix.txt."""
    eve = User.objects.create_user("eve", is_staff=True)
    client.force_login(eve)
    front = text_of(client.get("/admin/"))
    assert "In service" not in front
    assert "Newest runs" not in front
    eve.user_permissions.set(Permission.objects.filter(codename="view_trainingrun"))
    page = client.get(f"{RUNS}{make_run(Status.IN_PROGRESS, attempt=1).pk}/change/")
    assert page.status_code == 200
    assert "/act/" not in page.content.decode()


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
    assert new.parameters["validation_samples"] == 2_500, "the preset's, where none is given"
    assert isinstance(new.parameters["seed"], int), "a new one"


def test_two_at_once_are_not_acted_on(client: Client) -> None:
    runs = [make_run(Status.COMPLETED) for _ in range(2)]
    page = client.post(RUNS, {"action": "train_again", "_selected_action": [run.pk for run in runs]}, follow=True)
    assert "Select one training run." in text_of(page)


def test_an_act_that_is_none_or_on_nothing_is_not_found(client: Client) -> None:
    for path in (f"{TrainingRun.objects.get().pk}/act/fly/", "999/act/stop/"):
        assert client.get(f"{RUNS}{path}").status_code == 404


def test_every_row_has_its_curve_and_its_signed_gain_over_the_model_in_service(client: Client) -> None:
    serving = Activation.current().model.test_accuracy
    make_run(Status.COMPLETED, epochs=3, test_accuracy=serving + 0.0012)
    make_run(Status.COMPLETED, test_accuracy=serving - 0.0034)
    page = client.get(RUNS)
    for gain in ("+0.12", "−0.34", "±0"):  # the last: the shipped run against itself
        assert gain in text_of(page)
    assert "Training accuracy from 90.00% to 96.67%" in page.content.decode()
    assert page.content.decode().count('class="run-spark"') == TrainingRun.objects.count()


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
    presence.refresh()
    with django_assert_max_num_queries(14):
        text = text_of(client.get("/admin/"))
    accuracy = HISTORY["test_accuracy"]
    assert f"{accuracy:.2%} of the test digits are read correctly by model" in text
    assert "activated at install" in text
    assert re.search(rf"{presence.worker_name()}, seen \d s ago", text)
    assert "Redis connected" in text


def test_the_front_page_opens_without_redis(client: Client, settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    presence.client.cache_clear()
    try:
        assert "Redis unreachable" in text_of(client.get("/admin/"))
    finally:
        presence.client.cache_clear()
