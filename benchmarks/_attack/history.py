"""A history that it costs something to read: a hundred runs of a hundred epochs."""

from __future__ import annotations

from tests.support.stack import Stack

RUNS, EPOCHS = 100, 100
PARAMETERS = {
    "epochs": EPOCHS,
    "batch_size": 64,
    "learning_rate": 0.001,
    "samples": 60000,
    "seed": 1,
    "activate": False,
}
FILL = f"""
from django.utils import timezone
from training.models import Epoch, TrainingRun
now = timezone.now()
for _ in range({RUNS}):
    run = TrainingRun.objects.create(
        status="completed", preset="original", parameters={PARAMETERS}, queued_at=now, started_at=now, finished_at=now,
        test_accuracy=0.99, confusion=[[100] * 10] * 10, seq={EPOCHS} + 3,
    )
    values = dict(loss=0.1234567, accuracy=0.9876543, val_loss=0.1234567, val_accuracy=0.9876543, learning_rate=0.001)
    Epoch.objects.bulk_create(Epoch(run=run, epoch=1 + n, seconds=1.234567, **values) for n in range({EPOCHS}))
"""


def fill(stack: Stack) -> None:
    stack.manage("shell", "--verbosity", "0", "-c", FILL)
