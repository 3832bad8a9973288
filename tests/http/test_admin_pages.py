"""The admin's pages: what search finds, how numbers and times are written, what a failed run and an error say first."""

import re
from datetime import datetime, timezone

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from digits_site.accounts.models import AccessToken
from recognition import registry
from recognition.models import Activation, ModelVersion
from tests.support.admin_pages import MODELS, RUNS, act, confirm, superuser_client, text_of  # noqa: F401
from tests.support.constant_models import publish_constant_model
from tests.support.corrections import new_correction, pending_correction
from tests.support.runs import PARAMETERS, make_run
from training.models import Status, StoppedVia, TrainingRun

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
WALL = "/admin/recognition/correction/"
NAVIGATION = {"HTTP_ACCEPT": "text/html"}


def listed(client: Client, path: str, noun: str, **query: str) -> set[int]:
    """The numbers of the rows that a list shows."""
    html = client.get(path, query).content.decode()
    return {int(n) for n in re.findall(rf">{noun} (\d+)</a></th>", html)}


def test_search_finds_runs_by_all_that_people_type(client: Client) -> None:
    model, ada = publish_constant_model(5), User.objects.create_user("ada2")
    shipped = TrainingRun.objects.get()
    lost = make_run(Status.ERROR, error_code="worker_lost", requested_by=ada)
    stopped = make_run(Status.INTERRUPTED, preset="fast", by_visitor=True)
    mine = make_run(Status.COMPLETED, requested_by=ada, model=model)
    everything = {shipped.pk, lost.pk, stopped.pk, mine.pk}
    page = client.get(RUNS).content.decode()
    assert "By number (“run 2”), name, notes, tag, preset, status, error code, model" in page, (
        "the box says what it searches"
    )
    found = {
        f"run {lost.pk}": {lost.pk},
        f"{lost.pk}": {lost.pk},
        f"RUN #{lost.pk}": {lost.pk},
        f"#{lost.pk}": {lost.pk},
        "ada2": {lost.pk, mine.pk},
        "ADA": {lost.pk, mine.pk},
        "a visitor": {stopped.pk},
        "visitor": {stopped.pk},
        "shipped": {shipped.pk},
        "shipped with Digits": {shipped.pk},
        "handwriting": {shipped.pk},
        "fast": {stopped.pk},
        "stopped": {stopped.pk},
        "interrupted": {stopped.pk},
        "failed": {lost.pk},
        "worker_lost": {lost.pk},
        "worker lost": {lost.pk},
        "completed ada": {mine.pk},
        f"model {model.pk}": {mine.pk},
        "in service": {shipped.pk},
        "in progress": set(),
        "nonsense": set(),
        "99999999999999999999": set(),
        "": everything,
        "x " * 500: set(),
    }
    for text, numbers in found.items():
        assert listed(client, RUNS, "run", q=text) == numbers, text


def test_search_finds_models_by_number_run_and_checksum(client: Client) -> None:
    shipped, other = ModelVersion.objects.get(), publish_constant_model(5)
    run = make_run(Status.COMPLETED, model=other)
    assert "By number (“model 2”), name, run" in client.get(MODELS).content.decode()
    found = {
        f"model {other.pk}": {other.pk},
        str(other.pk): {other.pk},
        f"run {run.pk}": {other.pk},
        other.sha256[:6]: {other.pk},
        other.sha256.upper(): {other.pk},
        "in service": {shipped.pk},
        "nonsense": set(),
    }
    for text, numbers in found.items():
        assert listed(client, MODELS, "model", q=text) == numbers, text


def test_search_finds_a_correction_in_every_status(client: Client) -> None:
    ada = User.objects.create_user("Ada")
    one, other = (
        new_correction(1, account=ada),
        pending_correction(2),
    )
    for text, number in ((f"correction {one.pk}", one.pk), (str(one.pk), one.pk), ("Ada", one.pk)):
        tiles = re.findall(r'data-tile="(\d+)"', client.get(WALL, {"q": text}).content.decode())
        assert tiles == [str(number)], text
    assert re.findall(r'data-tile="(\d+)"', client.get(WALL).content.decode()) == [str(other.pk)]


def test_a_rollback_is_offered_if_there_is_a_model_to_return_to_and_to_those_who_may(client: Client) -> None:
    first, other = Activation.current().model, publish_constant_model(5)
    for path in (MODELS, "/admin/"):
        assert "Roll back" not in text_of(client.get(path)), "nothing to return to"
    registry.activate(other)
    for path in (MODELS, "/admin/"):
        assert f"Roll back to {first}" in text_of(client.get(path))
    confirm(client, f"{MODELS}roll-back/")
    assert "Roll back" not in text_of(client.get(MODELS))
    registry.activate(other)
    eve = User.objects.create_user("eve", is_staff=True)
    eve.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(eve)
    for path in (MODELS, "/admin/"):
        assert "Roll back" not in text_of(client.get(path))


def test_numbers_and_times_are_written_as_on_the_page(client: Client) -> None:
    at = datetime(2026, 11, 30, 4, 24, 7, tzinfo=timezone.utc)
    parameters = PARAMETERS | {"learning_rate": 1e-05}
    model = publish_constant_model(5)
    ModelVersion.objects.filter(pk=model.pk).update(uncertain_below=0.6979802, temperature=0.5482219)
    run = make_run(
        *(Status.COMPLETED,),
        queued_at=at,
        test_accuracy=0.2461,
        calibration_error=0.0123,
        parameters=parameters,
        model=model,
    )
    page = client.get(f"{RUNS}{run.pk}/change/")
    text = text_of(page)
    for expected in ("24.61%", "Calibration error: 1.23%", "60,000", "0.00001", "Batch size"):
        assert expected in text, expected
    time = '<time datetime="2026-11-30T04:24:07+00:00">2026-11-30 04:24 UTC</time>'
    for path in (f"{RUNS}{run.pk}/change/", RUNS, "/admin/"):
        assert time in client.get(path).content.decode(), path
    user = User.objects.get()
    token, _ = AccessToken.objects.create(user, name="a test", scopes=["stop"])
    User.objects.update(date_joined=at)
    AccessToken.objects.update(created=at, expiry=at)
    tokens = "/admin/accounts/accesstoken/"
    for path in (tokens, f"{tokens}{token.pk}/change/", f"/admin/auth/user/{user.pk}/change/"):
        assert time in client.get(path).content.decode(), path
    text = text_of(client.get(f"{MODELS}{model.pk}/change/"))
    assert "Temperature: 0.548 " in text
    assert "Uncertain below: 69.8% " in text
    act(client, model, "activate")
    for path in (f"{MODELS}{model.pk}/history/", f"{MODELS}roll-back/", MODELS):
        assert re.search(
            r'<time datetime="[^"]+\+00:00">\d{4}-\d\d-\d\d \d\d:\d\d UTC</time>', client.get(path).content.decode()
        )


def test_train_again_and_train_with_changes_lead_to_the_new_run(client: Client) -> None:
    old = make_run(Status.COMPLETED)
    text = act(client, old, "train_again")
    new = TrainingRun.objects.newest()
    assert f"run {new.pk} | View training run" in text
    assert f"run {new.pk} is queued" in text.lower()


def test_runs_and_models_link_to_each_other(client: Client) -> None:
    model = publish_constant_model(5)
    run = make_run(Status.COMPLETED, model=model)
    to_model, to_run = f'href="{MODELS}{model.pk}/change/"', f'href="{RUNS}{run.pk}/change/"'
    for path in (f"{RUNS}{run.pk}/change/", RUNS, "/admin/"):
        assert to_model in client.get(path).content.decode(), path
    for path in (f"{MODELS}{model.pk}/change/", MODELS):
        assert to_run in client.get(path).content.decode(), path


def test_a_failed_run_says_why_before_anything_else(client: Client) -> None:
    run = make_run(
        Status.ERROR, error_code="diverged", error="The loss became <nan>.", error_detail="Traceback\nValueError"
    )
    html = client.get(f"{RUNS}{run.pk}/change/").content.decode()
    reason, hint, log, first = map(
        html.index, ("The loss became &lt;nan&gt;.", "lower learning rate", "<details>", "<fieldset")
    )
    assert reason < hint < log < first
    assert "Traceback\nValueError</pre></details>" in html
    late = make_run(Status.ERROR, error_code="timed_out", stopped_via=StoppedVia.TIME_LIMIT)
    text = text_of(client.get(f"{RUNS}{late.pk}/change/"))
    assert "Stopped by: the time limit" in text
    assert "raise RUN_SECONDS" in text
    assert "The run failed" not in text_of(client.get(f"{RUNS}{make_run(Status.INTERRUPTED).pk}/change/"))


def test_an_error_in_the_admin_is_a_page_of_the_admin(client: Client) -> None:
    missing = client.get("/admin/nowhere/", **NAVIGATION)
    html = missing.content.decode()
    assert missing.status_code == 404
    assert "Page not found." in html
    assert 'id="user-tools"' in html, "the admin's header"
    assert 'href="/admin/"' in html
    assert "signed in as <strong>admin</strong>" in html
    eve = User.objects.create_user("eve", is_staff=True, password="a long enough password")
    client.force_login(eve)
    refused = client.get(f"{RUNS}?q=2", **NAVIGATION)
    html = refused.content.decode()
    assert refused.status_code == 403
    assert "signed in as <strong>eve</strong>" in html
    sign_out = dict(re.findall(r'name="(next)" value="([^"]+)"', html))
    asked = client.post("/admin/logout/", sign_out, follow=True)
    assert asked.redirect_chain[-1][0].startswith("/admin/login/?next=/admin/training/trainingrun/")
    assert "_auth_user_id" not in client.session
    assert 'id="user-tools"' not in client.get("/nowhere/", **NAVIGATION).content.decode(), "elsewhere as before"
    assert client.get("/admin/nowhere/").status_code == 302, "who is not signed in does not learn which pages exist"


def test_a_form_of_the_admin_without_its_token_is_refused_by_a_page_of_the_admin(client: Client) -> None:
    strict = Client(HTTP_HOST="localhost", enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="admin"))
    refused = strict.post(RUNS, {"action": "export_csv"}, **NAVIGATION)
    assert refused.status_code == 403
    assert 'id="user-tools"' in refused.content.decode()


@pytest.mark.parametrize("wrong", ["abc", "", "1\0", "9" * 20])
def test_a_wrong_id_is_the_clients_error(client: Client, wrong: str) -> None:
    for page in (RUNS, MODELS, "/admin/auth/user/"):
        refused = client.post(page, {"action": "delete_selected", "_selected_action": wrong})
        assert refused.status_code == 400, page
    for page in (RUNS, MODELS) if wrong.isalnum() else ():
        assert client.get(f"{page}{wrong}/delete/").status_code == 404, page
