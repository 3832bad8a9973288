"""Training runs and what belongs to them."""

from training.models.querysets import TrainingRunQuerySet
from training.models.records import Batches, Epoch, Predictions, RunCorrections, RunTag
from training.models.runs import MAX_ATTEMPTS, SHIPPED, TrainingRun
from training.models.states import ACTIVE, NEVER_ACTIVE, NEWEST_FIRST, UNFINISHED, Status, StoppedVia

__all__ = [
    "ACTIVE",
    "MAX_ATTEMPTS",
    "NEVER_ACTIVE",
    "NEWEST_FIRST",
    "SHIPPED",
    "UNFINISHED",
    "Batches",
    "Epoch",
    "Predictions",
    "RunCorrections",
    "RunTag",
    "Status",
    "StoppedVia",
    "TrainingRun",
    "TrainingRunQuerySet",
]
