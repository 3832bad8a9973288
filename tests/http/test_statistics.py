"""Daily statistics: predictions become rows whatever happens, and the admin's front page shows drift."""

import json
import re
import signal
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.db import OperationalError, connection
from django.db.models import Sum
from django.test import Client

from recognition import statistics
from recognition.models import Correction, DailyPredictions, ModelVersion
from tests.support.admin_pages import superuser_client, text_of  # noqa: F401
from tests.support.drawings import draw, encode
from tests.support.ports import free_port, wait_for_port
from tests.support.postgres import Server
from tests.support.shell import Shell
from tests.support.stack import Stack, eventually, running
from training.templatetags.drift import drift_card

SECONDS_TO_ROWS = statistics.FLUSH_SECONDS + 20


@pytest.fixture(autouse=True)
def no_counts() -> Iterator[None]:
    """Other tests of this process predict too."""
    statistics._counts.take()
    yield
    statistics._counts.take()


def today() -> date:
    return datetime.now(timezone.utc).date()


def rows() -> dict[tuple[date, int], tuple[int, int]]:
    return {(row.day, row.digit): (row.count, row.uncertain) for row in DailyPredictions.objects.all()}


def predict(client: Client, *digits: int) -> list[dict[str, Any]]:
    drawings = [encode(draw(digit)) for digit in digits]
    answers = [client.post("/api/drawing/", drawing, content_type="image/png") for drawing in drawings]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.json() for answer in answers]


# --- From predictions to rows ---


@pytest.mark.django_db
@pytest.mark.postgres
def test_single_and_batched_predictions_become_rows(client: Client) -> None:
    answers = predict(client, 7, 7, 3)
    drawings = [b64encode(encode(draw(1))).decode(), "nonsense"]
    batch = client.post("/api/drawings/", {"drawings": drawings}, content_type="application/json").json()
    answers.append(batch["results"][0])
    assert "code" in batch["results"][1], "an error is no prediction"
    assert not rows(), "no request writes"
    statistics.flush()
    statistics.flush()  # nothing is counted twice
    expected: dict[tuple[date, int], tuple[int, int]] = {}
    for answer in answers:
        count, uncertain = expected.get((today(), answer["prediction"]), (0, 0))
        expected[today(), answer["prediction"]] = (count + 1, uncertain + answer["uncertain"])
    assert rows() == expected
    total = DailyPredictions.objects.aggregate(Sum("confidence"))["confidence__sum"]
    assert total == pytest.approx(sum(answer["confidence"] for answer in answers) / 100, abs=1e-3)
    predict(client, 7)
    statistics.flush()
    assert rows()[today(), 7][0] == expected[today(), 7][0] + 1


@pytest.mark.django_db
@pytest.mark.postgres
def test_the_day_changes_at_midnight_in_utc(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    midnight = datetime(2027, 3, 1, tzinfo=timezone.utc).timestamp()
    for seconds in (midnight - 0.01, midnight):
        monkeypatch.setattr(statistics, "time", lambda seconds=seconds: seconds)
        predict(client, 7)
    statistics.flush()
    assert rows() == {(date(2027, 2, 28), 7): (1, 0), (date(2027, 3, 1), 7): (1, 0)}


@pytest.mark.django_db
@pytest.mark.postgres
def test_counts_wait_for_a_database_that_is_away(client: Client) -> None:
    def away(execute: Any, statement: str, *rest: Any) -> Any:
        if "dailypredictions" in statement:
            raise OperationalError("the database is away")
        return execute(statement, *rest)

    predict(client, 7)
    with connection.execute_wrapper(away):
        with pytest.raises(OperationalError):
            statistics.flush()
        predict(client, 7)
        with pytest.raises(OperationalError):
            statistics.flush()
    statistics.flush()
    assert rows() == {(today(), 7): (2, 0)}


@pytest.mark.django_db
@pytest.mark.postgres
def test_counts_of_a_deleted_model_are_dropped_and_hold_up_no_others(client: Client) -> None:
    predict(client, 7)
    statistics.count(999_999, 7, 0.9, False)
    statistics.flush()
    assert rows() == {(today(), 7): (1, 0)}


@pytest.mark.django_db
@pytest.mark.postgres
def test_rows_are_kept_for_400_days(client: Client) -> None:
    model = ModelVersion.objects.get()
    for age in (0, 400, 401):
        DailyPredictions.objects.create(day=today() - timedelta(days=age), model=model, digit=1)
    statistics.prune(today())
    assert {today() - day for day, _ in rows()} == {timedelta(0), timedelta(days=400)}


def stored(shell: Shell) -> dict[int, int]:
    """What the rows in the stack's database say, by digit."""
    code = (
        "import json; from recognition.models import DailyPredictions as Rows;"
        "print(json.dumps(list(Rows.objects.values_list('digit', 'count'))))"
    )
    found: dict[int, int] = {}
    for digit, count in json.loads(shell.run(code)):
        found[digit] = found.get(digit, 0) + count
    return found


def send(address: str, number: int) -> None:
    with httpx.Client(base_url=address, timeout=30) as http:
        for _ in range(number):
            answer = http.post("/api/drawing/", content=encode(draw(7)), headers={"Content-Type": "image/png"})
            assert answer.status_code == 200, answer.text


class OnGranian(Stack):
    """Plain HTTP by two granian workers, as in the scaled deployment."""

    def start_web(self) -> None:
        options = ("--interface", "wsgi", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "2")
        self.launch("web", "granian", *options, "--workers-kill-timeout", "8", "digits_site.wsgi:application")
        wait_for_port(self.port)


@pytest.mark.stack
@pytest.mark.postgres
@pytest.mark.parametrize("kind", [Stack, OnGranian])
def test_processes_sum_and_a_process_that_ends_writes_first(tmp_path: Path, kind: type[Stack]) -> None:
    port = free_port()
    stack = kind(tmp_path)
    try:
        stack.start(worker=False)
        stack.launch_web("other", port)
        wait_for_port(port)
        send(stack.url, 20)
        send(f"http://127.0.0.1:{port}", 10)
        stack.kill("web", signal.SIGTERM)
        stack.kill("other", signal.SIGTERM)
        with closing(Shell(stack.environment)) as shell:
            assert stored(shell) == {7: 30}
    finally:
        stack.close()


@pytest.mark.stack
def test_a_running_process_writes_by_itself(tmp_path: Path) -> None:
    with running(tmp_path, worker=False) as stack, closing(Shell(stack.environment)) as shell:
        send(stack.url, 3)
        eventually(lambda: stored(shell) == {7: 3}, SECONDS_TO_ROWS, "the rows")


@pytest.mark.stack
@pytest.mark.postgres
@pytest.mark.skipif("postgres" not in settings.DATABASES["default"]["ENGINE"], reason="run with make test-postgres")
def test_drawings_are_answered_without_postgresql_and_counted_once_it_is_back(tmp_path: Path) -> None:
    with closing(Server()) as server, running(tmp_path, worker=False, DATABASE_URL=server.url) as stack:
        send(stack.url, 1)
        server.stop(signal.SIGQUIT)
        send(stack.url, 2)
        eventually(lambda: "daily statistics wait" in stack.log("web"), SECONDS_TO_ROWS, "a flush that failed")
        send(stack.url, 1)
        server.start()
        with closing(Shell(stack.environment)) as shell:
            eventually(lambda: stored(shell) == {7: 4}, SECONDS_TO_ROWS, "the rows")


# --- The card of the admin's front page ---


def add_day(age: int, counts: dict[int, int], confidence: float = 0.98, uncertain: int = 0) -> None:
    model = ModelVersion.objects.get()
    for digit, count in counts.items():
        DailyPredictions.objects.create(
            day=today() - timedelta(days=age),
            model=model,
            digit=digit,
            count=count,
            uncertain=uncertain,
            confidence=count * confidence,
        )


def add_correction(number: int, **values: Any) -> None:
    defaults = {"label": 7, "predicted": 1, "source": Correction.Source.PAGE, "held_out": False, "ink": 0.1}
    picture = {"picture": bytes(784), "picture_sha256": f"{number:064}"}
    Correction.objects.create(**defaults | picture | values)


def card(client: Client) -> str:
    """The text of the card."""
    html = client.get("/admin/").content.decode()
    found = re.search(r'<section class="[^"]*\bdrift\b.*?</section>', html, re.S)
    assert found, "the page has no card"
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0]))


pages = pytest.mark.django_db


@pages
@pytest.mark.postgres
def test_without_drawings_the_card_says_so(client: Client) -> None:
    assert "No drawings yet." in card(client)


@pages
@pytest.mark.postgres
def test_the_card_with_one_day(client: Client) -> None:
    add_day(0, {7: 300, 1: 100}, confidence=0.9, uncertain=10)
    for number in range(2):
        add_correction(number)
    add_correction(2, state=Correction.State.REJECTED)
    add_correction(3, source=Correction.Source.IMPORT)
    add_correction(4, label=1)  # it confirms
    add_correction(5, created_at=datetime(2020, 1, 1, tzinfo=timezone.utc))
    text = card(client)
    for figure in ("Estimated accuracy 90.00%", "Uncertain 5.0%", "Corrections per 1,000 5.0", "7 75.0% –"):
        assert figure in text, figure
    assert f"{today()} 400 90.00% 5.0% 5.0" in text


@pages
@pytest.mark.postgres
def test_the_last_week_is_compared_with_the_month_before(client: Client, django_assert_max_num_queries) -> None:
    for age in range(60):
        add_day(age, {7: 100, 1: 300} if age < 7 else {7: 200, 1: 200}, confidence=0.8 if age < 7 else 0.95)
    with django_assert_max_num_queries(2):
        shown = drift_card()
    accuracy = shown["lines"][0]
    assert (accuracy["recent"], accuracy["before"]) == ("80.00%", "95.00%")
    assert json.loads(accuracy["values"]) == [0.95] * 23 + [0.8] * 7
    assert shown["digits"][7] == (7, "25.0%", "50.0%")


@pages
def test_who_may_not_see_models_sees_no_card(client: Client) -> None:
    add_day(0, {7: 1})
    user = User.objects.create_user("clerk", is_staff=True)
    client.force_login(user)
    assert "board-drift" not in client.get("/admin/").content.decode()
    user.user_permissions.add(Permission.objects.get(codename="view_modelversion"))
    assert "board-drift" in client.get("/admin/").content.decode()


# --- What a drawing pays ---


def test_counting_takes_less_than_five_microseconds() -> None:
    began = time.thread_time()
    for number in range(20_000):
        statistics.count(1, number % 10, 0.99, False)
    assert (time.thread_time() - began) / 20_000 < 5e-6
