"""Rows of training runs in every state."""

import json
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from training.models import Status, TrainingRun

PARAMETERS = {"epochs": 3, "batch_size": 128, "learning_rate": 0.001, "samples": 60000, "seed": 1, "activate": False}


def make_run(status: Status, epochs: int = 2, **values: object) -> TrainingRun:
    """Add a run that waited 5 s and has trained for 95 s."""
    now = timezone.now()
    times = {"started_at": now - timedelta(seconds=95), "queued_at": now - timedelta(seconds=100)}
    if status not in {Status.QUEUED, Status.IN_PROGRESS}:
        times["finished_at"] = now
    defaults = {"status": status, "preset": "original", "parameters": PARAMETERS}
    run = TrainingRun.objects.create(**defaults | times | values)
    for epoch in range(1, epochs + 1):
        run.epochs.create(epoch=epoch, loss=1 / epoch, accuracy=1 - 0.1 / epoch, learning_rate=0.001, seconds=9.5)
    return run


def completed_run(
    seconds: float | None, accuracy: float | None = None, epochs: int = 0, **values: object
) -> TrainingRun:
    """Add a run that ended a moment ago after so many seconds; None: one that never began."""
    now = timezone.now()
    times = {} if seconds is None else {"started_at": now - timedelta(seconds=seconds), "finished_at": now}
    defaults = {"status": Status.COMPLETED, "preset": "original", "parameters": PARAMETERS, "test_accuracy": accuracy}
    run = TrainingRun.objects.create(**defaults | times | values)
    for epoch in range(1, epochs + 1):
        run.epochs.create(epoch=epoch, loss=1.0, accuracy=0.9, learning_rate=0.001, seconds=6.0 + epoch)
    return run


def claimed_run() -> TrainingRun:
    """Add a run that a worker has claimed a moment ago."""
    run = TrainingRun.objects.create(preset="original", parameters=PARAMETERS)
    assert run.claim("worker")
    return run


def retrain(client: Client, **body: Any) -> Any:
    """The answer to a request for a run."""
    return client.post("/api/retrain_model/", json.dumps(body), content_type="application/json")
