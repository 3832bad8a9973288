"""A run on a slow processor: a process that still draws pictures is at work, and reports its progress."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from tests.support.runs import PARAMETERS
from tests.support.stack import NUMPY_LEARNER
from training.learner.checkpoints import prepare_attempt
from training.models import TrainingRun
from training.worker import supervisor
from training.worker.runner import config_of

STALL_SECONDS = 3.0


class StopsLater:
    """Progress of a run that is stopped when it has been drawing for longer than a silent process may live.

    That time is short only while it draws: importing TensorFlow is silent, and slow beside other work.
    """

    def __init__(self, run: TrainingRun, patch: pytest.MonkeyPatch) -> None:
        self.run, self.patch = run, patch
        self.shares: list[float] = []
        self.drawing_since: float | None = None

    def tell(self, payload: dict[str, Any]) -> None:
        if payload["phase"] != "drawing":
            return
        self.shares.append(payload["progress"])
        if self.drawing_since is None:
            self.drawing_since = time.monotonic()
            self.patch.setattr(supervisor, "STALL_SECONDS", STALL_SECONDS)
        if time.monotonic() - self.drawing_since > STALL_SECONDS + 1:
            TrainingRun.objects.filter(pk=self.run.pk).update(stop_requested_at=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_a_process_that_draws_for_long_is_heard(settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LEARNER = NUMPY_LEARNER
    run = TrainingRun.objects.create(preset="handwriting", parameters=PARAMETERS)
    assert run.claim("worker")
    progress: Any = StopsLater(run, monkeypatch)
    config = prepare_attempt(config_of(run, tmp_path), 0)
    with pytest.raises(supervisor.ChildStopped):
        supervisor.supervise(config, progress, threading.Event())
    assert progress.shares == sorted(progress.shares)
    assert 0 < progress.shares[0] < progress.shares[-1] < 1
