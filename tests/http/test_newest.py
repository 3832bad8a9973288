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
from tests.support.stack import PATIENCE_SECONDS, eventually
from training import shipping
from training.live.snapshots import read_position, read_snapshot
from training.models import SHIPPED, Status, TrainingRun

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def test_the_newest_run_is_the_one_asked_for_last_everywhere(client: Client) -> None:
    """One was stopped, one completed before it, and an upgrade added the shipped one last, which is older still."""
    now = timezone.now()
    completed = completed_run(20, 0.97, epochs=2, queued_at=now - timedelta(minutes=2))
    stopped = completed_run(5, status=Status.INTERRUPTED, queued_at=now - timedelta(minutes=1))
    shipping.install()
    shipped = TrainingRun.objects.get(worker=SHIPPED)
    assert shipped.pk > stopped.pk
    assert shipped.queued_at < completed.queued_at
    numbers = [stopped.pk, completed.pk, shipped.pk]

    def listed(**query: str) -> list[int]:
        return [run["id"] for run in client.get("/api/runs/", query).json()["results"]]

    assert client.get("/api/check_model_status/").json() == {"model_status": "interrupted"}
    assert client.get("/api/model_accuracy/").json() == {"accuracy": 0.97}
    assert listed() == numbers
    assert listed(status="completed") == numbers[1:]
    assert listed(ordering="status") == [*numbers[1:], numbers[0]], "the newer first among equals"
    assert listed(ordering="-id")[0] == shipped.pk
    snapshot, position = asyncio.run(read_snapshot()), asyncio.run(read_position())
    assert snapshot["run"]["id"] == position[0] == stopped.pk
    told = f"digits_run_number {float(stopped.pk)}"  # a scrape goes without a database that is slow
    eventually(lambda: told in client.get("/metrics").content.decode(), PATIENCE_SECONDS, told)
    client.force_login(User.objects.create_superuser("admin"))
    for path in ("/admin/", RUNS):
        shown = re.findall(r">run (\d+)<", client.get(path).content.decode())
        assert [int(number) for number in shown] == numbers, path

    # An active one is the newest though the clock was set back.
    facts = {"preset": "original", "parameters": stopped.parameters}
    active = TrainingRun.objects.create(**facts, queued_at=now - timedelta(days=1))
    assert client.get("/api/check_model_status/").json() == {"model_status": "in_progress"}
    assert asyncio.run(read_snapshot())["run"]["id"] == active.pk
