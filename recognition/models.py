"""The registry of models, the comparisons between them, corrections, and daily statistics of the predictions."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import models
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact
from django.utils import timezone

from digits_site.web.formatting import format_percent


def model_storage() -> Storage:
    """Return the storage of model files. A callable, so that migrations do not freeze a folder."""
    return storages["models"]


class Origin(models.TextChoices):
    """Where a model comes from."""

    RUN = "run", "trained by a run"
    FILE = "file", "published from a file by command"


class ModelVersion(models.Model):
    """A published network: its file, the checksum it is loaded by, and its accuracy on the MNIST test set.

    `keras_file` holds the same weights for download and for the preset `adapt`; a model trained elsewhere has none.
    """

    name = models.CharField(max_length=60, blank=True)
    origin = models.CharField(max_length=4, choices=Origin.choices, default=Origin.RUN)

    file = models.FileField(storage=model_storage, upload_to="", max_length=200)
    keras_file = models.FileField(storage=model_storage, upload_to="", max_length=200, blank=True)
    sha256 = models.CharField("SHA-256", max_length=64, unique=True)
    size = models.PositiveIntegerField("size in bytes")
    test_accuracy = models.FloatField(help_text="fraction of the 10,000 MNIST test digits read correctly")
    temperature = models.FloatField(default=1.0, help_text="divides the logits, so that a confidence is a frequency")
    uncertain_below = models.FloatField(null=True, blank=True, help_text="answers less confident are called uncertain")
    parent = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="children",
        help_text="the model whose weights its training began with",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"model {self.pk} ({self.name})" if self.name else f"model {self.pk}"

    @property
    def percent(self) -> str:
        """Return the test accuracy in per cent."""
        return format_percent(self.test_accuracy)


class ObsoleteFile(models.Model):
    """A file of a model whose row is deleted, until recognition.deletion has removed it."""

    name = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.name


class Via(models.TextChoices):
    """How a model came into service."""

    INSTALL = "install", "at install"
    RUN = "run", "by the run that trained it"
    PAGE = "page", "on the page"
    API = "api", "through the API"
    ADMIN = "admin", "in the admin"


class Activation(models.Model):
    """A model was put into service. Rows are only added, and go with their model. The newest one is in force.

    `previous` is the activation that a rollback returns to. A rollback is itself a new row, with the `previous` of the
    activation it returns to, so that rolling back twice goes back twice.
    """

    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="activations")
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    previous = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    via = models.CharField(max_length=7, choices=Via.choices, blank=True)
    rollback = models.BooleanField(default=False)
    reason = models.CharField(
        max_length=500, blank=True, help_text="why it was activated although the comparison was against it"
    )

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.model} since {self.at:%Y-%m-%d %H:%M} UTC"

    @property
    def origin(self) -> str:
        """Return how the model came into service: "activated by ada in the admin", "activated at install"."""
        who = f"by {self.by}" if self.by else ""
        if self.via == Via.RUN:
            how = self.get_via_display() + (f", which {self.by} started" if self.by else "")
        else:
            place = "" if self.via == Via.ADMIN else self.get_via_display()
            how = f"{who} {place}".strip() or ("automatically" if self.previous_id else "at install")
        return f"{'rolled back' if self.rollback else 'activated'} {how}"

    @classmethod
    def current(cls) -> Activation | None:
        """Return the activation in force, with its model."""
        return cls.objects.select_related("model", "previous__model").first()

    @classmethod
    def current_model_id(cls) -> int | None:
        """Return the ID of the model in service, or None before the first activation."""
        newest: Any = cls.objects.values_list("model_id", flat=True).first()
        return newest


def in_service(model: str = "pk") -> Exact:
    """Return an expression for annotating rows: whether the model whose ID is in the field `model` is in service."""
    newest = Activation.objects.values("model_id")[:1]
    return Exact(models.F(model), Coalesce(models.Subquery(newest), 0))


def first_run() -> models.Subquery:
    """Return an expression for annotating models: the ID of the run that trained one, or null."""
    rows = ModelVersion.objects.filter(pk=models.OuterRef("pk")).order_by("runs__pk")
    return models.Subquery(rows.values("runs__pk")[:1])


class Comparison(models.Model):
    """Champion against challenger: how both predicted the same pictures.

    The examples of comparison.SetResult have a column of their own, as few readers need them.
    """

    champion = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="comparisons_as_champion")
    challenger = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="comparisons")
    results = models.JSONField(help_text="for each set: its name, counts and exact McNemar p")
    examples = models.JSONField(default=dict, help_text="for each set: pictures that only one of the models predicted")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["champion", "challenger"], name="one_comparison_of_a_pair")]

    def __str__(self) -> str:
        return f"{self.challenger} against {self.champion}"


NO_DIGIT = 10  # the label of a drawing that shows no digit; `null` in the API


class Correction(models.Model):
    """A person's label for a drawing: what the model predicted, what the person says, and what the reviewer decided.

    It keeps the preprocessed picture alone, never the upload. A third of all pictures, chosen by their SHA-256, are
    held out: they judge models and are never trained on.

    Legal changes: pending -> accepted | rejected, and between all three by a reviewer; a deletion takes it back.
    """

    class State(models.TextChoices):
        PENDING = "pending", "pending"
        ACCEPTED = "accepted", "accepted"
        REJECTED = "rejected", "rejected"

    class Source(models.TextChoices):
        PAGE = "page", "page"
        API = "api", "API"
        IMPORT = "import", "import"

    LABELS = [*((digit, str(digit)) for digit in range(10)), (NO_DIGIT, "no digit")]

    picture = models.BinaryField(help_text="784 bytes: 28x28 levels row by row, ink 255 on 0")
    picture_sha256 = models.CharField("SHA-256", max_length=64)
    signature = models.CharField(max_length=16, help_text="average hash: nearly equal pictures have the same one")
    ink = models.FloatField(help_text="mean level of the picture, 0 to 1")
    held_out = models.BooleanField(help_text="judges models, and is never trained on")
    label = models.PositiveSmallIntegerField(choices=LABELS)
    predicted = models.PositiveSmallIntegerField(null=True, blank=True)
    confidence = models.FloatField(null=True, blank=True, help_text="of the prediction, 0 to 1")
    uncertain = models.BooleanField(default=False, help_text="the model called its prediction uncertain")
    model = models.ForeignKey(ModelVersion, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    source = models.CharField(max_length=6, choices=Source.choices)
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="corrections"
    )
    sender = models.CharField(max_length=32, blank=True, help_text="keyed hash of the client's address")
    state = models.CharField("status", max_length=8, choices=State.choices, default=State.PENDING)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(  # all that the counts read: the rows hold pictures, and are twenty times as large
                fields=["state", "label", "held_out", "decided_at", "created_at"], name="correction_by_state"
            ),
            models.Index(fields=["created_at"], name="correction_by_time"),
            models.Index(fields=["signature", "state", "label"], name="correction_by_signature"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["picture_sha256", "label"], name="one_correction_of_a_label"),
            models.CheckConstraint(condition=models.Q(label__lte=NO_DIGIT), name="legal_label"),
        ]

    def __str__(self) -> str:
        return f"correction {self.pk}"


class DailyPredictions(models.Model):
    """How often one model predicted one digit on one day (UTC), in all processes together."""

    day = models.DateField()
    model = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+")
    digit = models.PositiveSmallIntegerField()
    count = models.PositiveIntegerField(default=0)
    uncertain = models.PositiveIntegerField(default=0)
    confidence = models.FloatField(default=0.0, help_text="sum of the confidences, 0 to 1 each")

    class Meta:
        ordering = ["-day"]
        verbose_name_plural = "daily predictions"
        constraints = [
            models.UniqueConstraint(fields=["day", "model", "digit"], name="one_row_per_day_model_and_digit")
        ]

    def __str__(self) -> str:
        return f"{self.digit} by {self.model} on {self.day}"
