"""The registry of models: the published versions, and when each was in service."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import models
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact


def model_storage() -> Storage:
    """Return the storage of model files. A callable, so that migrations do not freeze a folder."""
    return storages["models"]


class ModelVersion(models.Model):
    """A published network: its file, the checksum it is loaded by, and its accuracy on the MNIST test set.

    `keras_file` holds the same weights for download; the product never loads it.
    """

    file = models.FileField(storage=model_storage, upload_to="", max_length=200)
    keras_file = models.FileField(storage=model_storage, upload_to="", max_length=200, blank=True)
    sha256 = models.CharField("SHA-256", max_length=64, unique=True)
    size = models.PositiveIntegerField("size in bytes")
    test_accuracy = models.FloatField(help_text="fraction of the 10,000 MNIST test digits read correctly")
    temperature = models.FloatField(default=1.0, help_text="divides the logits, so that a confidence is a frequency")
    uncertain_below = models.FloatField(null=True, blank=True, help_text="answers less confident are called uncertain")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"model {self.pk}"

    @property
    def percent(self) -> str:
        """Return the test accuracy in per cent."""
        return f"{self.test_accuracy:.2%}"


class Activation(models.Model):
    """A model was put into service. Rows are only added, and the newest one is in force.

    `previous` is the activation that a rollback returns to. A rollback is itself a new row, with the `previous` of the
    activation it returns to, so that rolling back twice goes back twice.
    """

    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="activations")
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    previous = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    rollback = models.BooleanField(default=False)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.model} since {self.at:%Y-%m-%d %H:%M}"

    @property
    def origin(self) -> str:
        """Return how the model came into service: "activated by ada", "activated at install"."""
        how = f"by {self.by}" if self.by else "automatically" if self.previous_id else "at install"
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
