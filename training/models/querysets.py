"""Which runs there are: active, waiting, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce

from recognition.models import ObsoleteFile
from training.models.records import Epoch
from training.models.states import ACTIVE, NEVER_ACTIVE, NEWEST_FIRST, UNFINISHED, Status

if TYPE_CHECKING:
    from training.models.runs import TrainingRun


class TrainingRunQuerySet(models.QuerySet["TrainingRun"]):
    def active(self) -> TrainingRunQuerySet:
        return self.filter(status__in=ACTIVE)

    def unfinished(self) -> TrainingRunQuerySet:
        """Return the active run, and those that wait."""
        return self.filter(status__in=UNFINISHED)

    def waiting(self) -> TrainingRunQuerySet:
        """Return the runs that wait for others to end, in the order in which they start."""
        return self.filter(status=Status.WAITING).order_by("pk")

    def with_account(self) -> TrainingRunQuerySet:
        """Join the accounts that a run's representation names."""
        return self.select_related("requested_by", "stopped_by")

    def with_finished_epochs(self) -> TrainingRunQuerySet:
        """Annotate `finished_epochs`, the number of them."""
        counts = Epoch.objects.filter(run=OuterRef("pk")).order_by().values("run").annotate(n=models.Count("pk"))
        return self.annotate(finished_epochs=Coalesce(Subquery(counts.values("n")), 0))

    def newest_first(self) -> TrainingRunQuerySet:
        return self.order_by(*NEWEST_FIRST)

    def last_number(self) -> int:
        """Return the highest number, 0 without runs."""
        return int(self.aggregate(last=models.Max("pk"))["last"] or 0)

    def newest(self) -> TrainingRun | None:
        """Return the active run, whatever its time; else the one that was active last."""
        for active in self.active().order_by():  # at most one; to sort, SQLite would scan all runs
            return active
        return self.exclude(status__in=NEVER_ACTIVE).newest_first().first()

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the rows, and let `recognition.deletion.remove_files` remove their checkpoints."""
        names = self.exclude(checkpoint="").values_list("checkpoint", flat=True)
        ObsoleteFile.objects.bulk_create([ObsoleteFile(name=name) for name in names])
        return super().delete()
