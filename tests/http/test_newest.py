"""The newest run is the one that was asked for last, wherever a run is named without its number."""

import asyncio
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from tests.support.admin_pages import RUNS
from tests.support.runs import completed_run
from training import shipping
from training.live.snapshots import read_position, read_snapshot
from training.models import SHIPPED, Status, TrainingRun

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


@pytest.fixture
def runs() -> list[TrainingRun]:
    """Newest first: one that was stopped, one that completed, and a shipped one, which an upgrade added last."""
    now = timezone.now()
    completed = completed_run(20, 0.97, epochs=2, queued_at=now - timedelta(hours=2))
    stopped = completed_run(5, status=Status.INTERRUPTED, queued_at=now - timedelta(hours=1))
    shipping.install()
    shipped = TrainingRun.objects.get(worker=SHIPPED)
    assert shipped.pk > stopped.pk
    assert shipped.queued_at < completed.queued_at
    return [stopped, completed, shipped]


def test_the_calls_of_the_api(client: Client, runs: list[TrainingRun]) -> None:
    numbers = [run.pk for run in runs]
    assert client.get("/api/check_model_status/").json() == {"model_status": "interrupted"}
    assert client.get("/api/model_accuracy/").json() == {"accuracy": 0.97}
    assert [run["id"] for run in client.get("/api/runs/").json()["results"]] == numbers
    assert [run["id"] for run in client.get("/api/runs/?status=completed").json()["results"]] == numbers[1:]
    by_status = client.get("/api/runs/?ordering=status").json()["results"]
    assert [run["id"] for run in by_status] == [*numbers[1:], numbers[0]], "the newer first among equals"
    assert client.get("/api/runs/?ordering=-id").json()["results"][0]["id"] == numbers[2]


def test_streams_and_metrics(client: Client, runs: list[TrainingRun]) -> None:
    snapshot, position = asyncio.run(read_snapshot()), asyncio.run(read_position())
    assert snapshot["run"]["id"] == position[0] == runs[0].pk
    assert f"digits_run_number {float(runs[0].pk)}" in client.get("/metrics").content.decode()


def test_the_admin(client: Client, runs: list[TrainingRun]) -> None:
    client.force_login(User.objects.create_superuser("admin", password="a long enough password"))
    for path in ("/admin/", RUNS):
        listed = re.findall(r">run (\d+)<", client.get(path).content.decode())
        assert [int(number) for number in listed] == [run.pk for run in runs], path


def test_an_active_run_is_the_newest_though_the_clock_was_set_back(client: Client, runs: list[TrainingRun]) -> None:
    active = TrainingRun.objects.create(
        preset="original", parameters=runs[0].parameters, queued_at=timezone.now() - timedelta(days=1)
    )
    assert client.get("/api/check_model_status/").json() == {"model_status": "in_progress"}
    assert asyncio.run(read_snapshot())["run"]["id"] == active.pk
