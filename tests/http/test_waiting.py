"""Runs that wait for others to end: what is accepted, refused and shown."""

import json
from typing import Any

import pytest
from django.test import Client

from tests.support.refusals import assert_refused
from tests.support.runs import make_run, retrain
from training.models import Status, TrainingRun
from training.worker.waiting import promote_next

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


def stop(client: Client, run: int) -> Any:
    return client.post("/api/stop_training/", json.dumps({"run": run}), content_type="application/json")


def test_runs_wait_in_order_and_can_be_cancelled(client: Client) -> None:
    active = make_run(Status.IN_PROGRESS)
    waiting = [retrain(client, queue=True, preset="fast").json() for _ in range(3)]
    assert [run["queue_position"] for run in waiting] == [1, 2, 3]
    numbers = [run["run"] for run in waiting]
    assert client.get(f"/api/runs/{numbers[1]}/").json()["queue_position"] == 2
    answer = {"message": f"Run {numbers[0]} is cancelled.", "run": numbers[0]}
    assert stop(client, numbers[0]).json() == answer
    listed = client.get("/api/runs/", {"status": "waiting", "ordering": "id"}).json()["results"]
    assert [(run["id"], run["queue_position"]) for run in listed] == [(numbers[1], 1), (numbers[2], 2)]
    cancelled = client.get(f"/api/runs/{numbers[0]}/").json()
    assert (cancelled["status"], cancelled["stopped_via"], cancelled["queue_position"]) == ("cancelled", "api", None)
    active.refresh_from_db()
    assert active.status == Status.IN_PROGRESS
    assert_refused(stop(client, numbers[0]), 409, "run_mismatch")


def test_the_time_of_the_request_stays_when_a_run_waits_no_longer(client: Client) -> None:
    active = make_run(Status.IN_PROGRESS)
    number = retrain(client, queue=True).json()["run"]
    requested = client.get(f"/api/runs/{number}/").json()["queued_at"]
    TrainingRun.objects.filter(pk=active.pk).update(status=Status.COMPLETED)
    assert promote_next().pk == number
    run = client.get(f"/api/runs/{number}/").json()
    assert (run["status"], run["queued_at"]) == ("queued", requested)


def test_the_legacy_api_does_not_see_runs_that_wait(client: Client) -> None:
    ended = make_run(Status.INTERRUPTED)
    TrainingRun.objects.create(preset="fast", parameters=ended.parameters, status=Status.WAITING, seq=0)
    TrainingRun.objects.create(preset="fast", parameters=ended.parameters, status=Status.CANCELLED)
    assert client.get("/api/check_model_status/").json() == {"model_status": "interrupted"}
    assert client.get("/api/training_progress/").json() == {}
    assert client.post("/api/stop_training/").json()["code"] == "not_in_progress"


def test_without_the_word_queue_a_request_neither_waits_nor_overtakes(client: Client) -> None:
    active = make_run(Status.QUEUED)
    assert retrain(client, queue=True).status_code == 202
    answer = retrain(client)
    assert_refused(answer, 409, "run_active")
    assert answer.json()["run"] == active.pk
    TrainingRun.objects.filter(pk=active.pk).update(status=Status.COMPLETED)
    assert_refused(retrain(client), 409, "run_active")
    second = retrain(client, queue=True)
    assert (second.status_code, second.json()["queue_position"]) == (202, 2)


def test_no_more_than_the_limit_wait(client: Client, settings: Any) -> None:
    settings.QUEUE_LIMIT = 2
    assert retrain(client, queue=True).json() == {
        "message": "Model creation started",
        "run": TrainingRun.objects.last_number(),
        "queue_position": 0,
    }
    assert [retrain(client, queue=True).status_code for _ in range(3)] == [202, 202, 409]
    answer = retrain(client, queue=True)
    assert_refused(answer, 409, "queue_full")
    assert answer.json()["limit"] == 2
    assert_refused(retrain(client, queue="yes"), 400, "invalid_parameter")
