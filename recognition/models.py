"""The registry of models: every version that was published, and which of them served when."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import models


def model_storage() -> Storage:
    """Where model files live; a callable, so that migrations do not freeze a folder."""
    return storages["models"]


class ModelVersion(models.Model):
    """One published network: its file, the checksum it is loaded by, and how good it is on the MNIST test set.

    `keras_file` holds the same weights for people to download; nothing here ever loads it.
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
        """Test accuracy as people read it."""
        return f"{self.test_accuracy:.2%}"


class Activation(models.Model):
    """A model was put into service. Rows are only added: the newest one says which model serves.

    `previous` is the activation that a roll back returns to; a roll back is itself a new row, which takes over the
    `previous` of the activation it returned to, so that rolling back twice goes back twice.
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

    @classmethod
    def current(cls) -> Activation | None:
        """The activation in force, its model fetched with it."""
        return cls.objects.select_related("model", "previous__model").first()

    @classmethod
    def current_model_id(cls) -> int | None:
        """The id of the model in service, or None before the first activation."""
        newest: Any = cls.objects.values_list("model_id", flat=True).first()
        return newest
