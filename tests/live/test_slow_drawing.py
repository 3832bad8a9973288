"""A run on a slow processor: a process that still draws pictures is at work, and reports its progress."""

import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from tests.support.runs import PARAMETERS
from tests.support.stack import NUMPY_LEARNER
from training.learner.checkpoints import prepare_attempt
from training.models import TrainingRun
from training.worker import supervisor
from training.worker.runner import config_of

STALL_SECONDS = 5.0


@pytest.mark.django_db(transaction=True)
def test_a_process_that_draws_for_long_is_heard(settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is stopped when it has been drawing for longer than a silent process may live."""
    settings.LEARNER = NUMPY_LEARNER
    run = TrainingRun.objects.create(preset="handwriting", parameters=PARAMETERS)
    assert run.claim("worker")
    shares: dict[float, float] = {}

    def see_phase(payload: dict[str, Any]) -> None:
        if payload["phase"] == "drawing":
            monkeypatch.setattr(supervisor, "STALL_SECONDS", STALL_SECONDS)  # the start is silent, and slow at times
            shares[time.monotonic()] = payload["progress"]
            if max(shares) - min(shares) > STALL_SECONDS + 1:
                TrainingRun.objects.filter(pk=run.pk).update(stop_requested_at=timezone.now())

    config = prepare_attempt(config_of(run, tmp_path), 0)
    with pytest.raises(supervisor.ChildStopped):
        supervisor.supervise(config, SimpleNamespace(run=run, phase=see_phase), threading.Event())
    told = list(shares.values())
    assert told == sorted(told)
    assert 0 < told[0] < told[-1] < 1
