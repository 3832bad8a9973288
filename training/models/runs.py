"""Training runs: the rules of one row. Permissions stand in services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from digits_site.web.formatting import format_percent
from digits_site.webhooks.publishing import publish
from recognition.models import ModelVersion
from training.errors import LostClaim
from training.models.querysets import TrainingRunQuerySet
from training.models.records import RunCorrections
from training.models.states import ACTIVE, NEWEST_FIRST, UNFINISHED, Status, StoppedVia

MAX_ATTEMPTS = 3
WORKER_LOST = "Training stopped unexpectedly three times. Try again, or ask the operator."
SHIPPED = "shipped"  # the worker of the run that trained the shipped model


class TrainingRun(models.Model):
    """One request to train, from the queue to its model.

    Legal changes, each one conditional UPDATE that must hit one row and adds one to `seq`:

        waiting      -> queued                             promote: no run is active, and none waited longer
        waiting      -> cancelled                          cancel
        queued       -> in_progress                        claim: adds one to `attempt`
        queued       -> interrupted | error                stopped before it started; no queue, no worker
        in_progress  -> completed | interrupted | error    finish
        in_progress  -> queued                             requeue_or_end: its worker was lost or is shutting down

    Every write of a claimed run names its `attempt`, so a worker that was presumed dead writes nothing.
    """

    name = models.CharField(max_length=100, blank=True)
    notes = models.TextField(blank=True)
    is_baseline = models.BooleanField("baseline", default=False, help_text="other runs are compared with it")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.QUEUED)
    preset = models.CharField(max_length=32)
    parameters = models.JSONField(help_text="epochs, batch_size, learning_rate, samples, seed, activate")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    by_visitor = models.BooleanField(
        default=False, help_text="started by a visitor, whose account, if any, may not train"
    )
    queued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    stop_requested_at = models.DateTimeField(null=True, blank=True)
    stopped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    stopped_via = models.CharField(max_length=10, choices=StoppedVia.choices, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True, help_text="when the worker last wrote")
    worker = models.CharField(max_length=200, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    resumed_after_epoch = models.PositiveIntegerField(null=True, blank=True, help_text="0: this attempt starts over")
    elapsed_seconds = models.FloatField(default=0.0, help_text="of all attempts, at the last heartbeat")
    phase_seconds = models.JSONField(default=dict, blank=True, help_text="seconds of each phase of the last attempt")
    seq = models.PositiveIntegerField(default=1, help_text="number of the last persisted event")
    test_accuracy = models.FloatField(null=True, blank=True)
    calibration_error = models.FloatField(null=True, blank=True, help_text="mean of |confidence - accuracy|")
    confusion = models.JSONField(null=True, blank=True, help_text="10x10 counts (row: true digit, column: predicted)")
    versions = models.JSONField(default=dict, blank=True, help_text="libraries that trained it")
    model = models.ForeignKey(ModelVersion, on_delete=models.SET_NULL, null=True, blank=True, related_name="runs")
    base = models.ForeignKey(
        ModelVersion,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="the model whose weights it begins with",
    )
    continues = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, help_text="the run whose last epoch it goes on from"
    )
    checkpoint = models.CharField(max_length=200, blank=True, help_text="file with its last weights and optimizer")
    environment = models.JSONField(default=dict, blank=True, help_text="commit, lock file, processor, TensorFlow flags")
    not_activated = models.TextField(blank=True, help_text="why its model was not put into service as requested")
    error_code = models.CharField(max_length=40, blank=True)
    error = models.TextField(blank=True)
    error_detail = models.TextField(blank=True, help_text="traceback of the training process")

    objects = TrainingRunQuerySet.as_manager()

    class Meta:
        ordering = NEWEST_FIRST
        indexes = [
            models.Index(fields=["-queued_at", "-id"], name="newest_run"),
            models.Index(fields=["status", "-queued_at", "-id"], name="newest_run_by_status"),
        ]
        constraints = [
            models.UniqueConstraint(
                models.Case(models.When(status__in=ACTIVE, then=models.Value(1))), name="one_active_run"
            ),
            models.UniqueConstraint(fields=["is_baseline"], condition=Q(is_baseline=True), name="one_baseline"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="legal_status"),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}"

    @property
    def percent(self) -> str:
        """Return the test accuracy for display."""
        return format_percent(self.test_accuracy)

    @property
    def requester(self) -> str:
        """Return who started the run, for the API: a user's name, `anonymous` or `shipped`."""
        if self.worker == SHIPPED:
            return SHIPPED
        return self.requested_by.get_username() if self.requested_by else "anonymous"

    @property
    def requester_name(self) -> str:
        """Return who started the run, for pages."""
        return {SHIPPED: "shipped with Digits", "anonymous": "a visitor"}.get(self.requester, self.requester)

    @property
    def stopper(self) -> str | None:
        """Return who stopped the run, for the API: a user's name, `anonymous`, or None if nobody did."""
        if not self.stop_channel or self.stop_channel == StoppedVia.TIME_LIMIT:
            return None
        return self.stopped_by.get_username() if self.stopped_by else "anonymous"

    @property
    def stop_channel(self) -> str:
        """Return how the run was stopped, a StoppedVia; empty if it ended before it could be, or was not."""
        stopped = (*ACTIVE, Status.INTERRUPTED, Status.CANCELLED)
        was_stopped = self.status in stopped or self.stopped_via == StoppedVia.TIME_LIMIT
        return self.stopped_via if was_stopped else ""

    @property
    def stopper_name(self) -> str:
        """Return who stopped the run and how, for pages: "ada, through the API"; empty if it was not stopped."""
        if not self.stop_channel:
            return ""
        if self.stop_channel == StoppedVia.TIME_LIMIT:
            return "the time limit"
        nobody = {StoppedVia.COMMAND: "an operator", StoppedVia.ADMIN: "a deleted account"}
        who = self.stopped_by or nobody.get(StoppedVia(self.stop_channel), "a visitor")
        return f"{who}, {StoppedVia(self.stop_channel).label}"

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    @property
    def has_ended(self) -> bool:
        return self.status not in UNFINISHED

    def _change(self, condition: Q, **values: Any) -> bool:
        """Change the state by a conditional UPDATE. On True this instance holds the new row."""
        with transaction.atomic():  # locks the row until `seq` is read back
            hit = TrainingRun.objects.filter(condition, pk=self.pk).update(seq=F("seq") + 1, **values)
            if hit:
                self.refresh_from_db()
                if not self.is_active:
                    self._end()
        return bool(hit)

    def promote(self) -> bool:
        """waiting -> queued. False: it waits no longer. Raises IntegrityError if a run is active."""
        return self._change(Q(status=Status.WAITING), status=Status.QUEUED)

    def cancel(self, **values: Any) -> bool:
        """waiting -> cancelled. False: it waits no longer."""
        return self._change(Q(status=Status.WAITING), status=Status.CANCELLED, finished_at=timezone.now(), **values)

    def _end(self) -> None:
        """Write what belongs to an ending, in its transaction."""
        if self.base_id:
            RunCorrections.objects.filter(run=self.pk).update(pictures=b"")
        if self.status == Status.CANCELLED:
            return
        names = ("name", "status", "preset", "attempt", "queued_at", "started_at", "finished_at", "test_accuracy")
        data = {"id": self.pk, **{name: getattr(self, name) for name in (*names, "error_code", "error")}}
        tags = list(self.tags.values_list("name", flat=True))
        publish(f"run.{self.status}", {**data, "parameters": self.parameters, "tags": tags, "model": self.model_id})

    def claim(self, worker: str) -> bool:
        """queued -> in_progress. False: another worker was faster, or the run was stopped."""
        now = timezone.now()
        return self._change(
            Q(status=Status.QUEUED),
            status=Status.IN_PROGRESS,
            attempt=F("attempt") + 1,
            started_at=Coalesce("started_at", now),
            heartbeat_at=now,
            worker=worker[:200],
            resumed_after_epoch=None,
        )

    def owned(self) -> Q:
        """Return the condition of every write by this instance's attempt."""
        return Q(status=Status.IN_PROGRESS, attempt=self.attempt)

    def beat(self, elapsed_seconds: float) -> None:
        """Write a heartbeat and read `stop_requested_at`. Raises LostClaim."""
        self.write(heartbeat_at=timezone.now(), elapsed_seconds=elapsed_seconds)
        self.refresh_from_db(fields=["stop_requested_at"])

    def write(self, **values: Any) -> None:
        """Write without a change of state, and without an event. Raises LostClaim."""
        if not TrainingRun.objects.filter(self.owned(), pk=self.pk).update(**values):
            raise LostClaim(str(self))

    def add_epoch(self, values: Mapping[str, Any]) -> bool:
        """Insert an epoch. False: an earlier attempt did. Raises LostClaim."""
        with transaction.atomic():
            if self.epochs.filter(epoch=values["epoch"]).exists():
                return False
            if not self._change(self.owned(), heartbeat_at=timezone.now()):
                raise LostClaim(str(self))
            self.epochs.create(**values)
        return True

    def finish(self, status: Status, **values: Any) -> None:
        """in_progress -> an ending. Safe to repeat. Raises LostClaim."""
        if self._change(self.owned(), status=status, finished_at=timezone.now(), **values):
            return
        # The connection may have broken between the commit and its answer.
        if not TrainingRun.objects.filter(pk=self.pk, status=status, attempt=self.attempt).exists():
            raise LostClaim(str(self))
        self.refresh_from_db()

    def end_queued(self, status: Status, **values: Any) -> bool:
        """queued -> interrupted | error. False: it is no longer queued."""
        return self._change(
            Q(status=Status.QUEUED, attempt=self.attempt), status=status, finished_at=timezone.now(), **values
        )

    def requeue_or_end(self, seen: Q | None = None, is_shutdown: bool = False) -> bool:
        """in_progress -> queued, or an ending after a stop or the last attempt. False: the row is not as `seen` now."""
        lost, now = self.owned() & (seen or Q()), timezone.now()
        values: dict[str, Any] = {"status": Status.QUEUED}
        if self.attempt >= MAX_ATTEMPTS and not is_shutdown:  # a long run outlives any number of deployments
            values = {"status": Status.ERROR, "error_code": "worker_lost", "error": WORKER_LOST, "finished_at": now}
        return self._change(lost & Q(stop_requested_at=None), **values) or self._change(
            lost, status=Status.INTERRUPTED, finished_at=now
        )
