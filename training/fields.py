"""The database field of a run's parameters."""

from __future__ import annotations

from typing import Any

from django.db import models

PARAMETERS = ("epochs", "batch_size", "learning_rate", "samples", "seed", "activate")


class ParametersField(models.JSONField):
    """A run's parameters in the order in which people are shown them: PostgreSQL's jsonb keeps none."""

    def from_db_value(self, *words: Any) -> Any:
        value = super().from_db_value(*words)
        if not isinstance(value, dict):
            return value
        return {name: value[name] for name in PARAMETERS if name in value} | value

    def deconstruct(self) -> Any:
        """To migrations it is what it is to the database."""
        name, _, words, options = super().deconstruct()
        return name, "django.db.models.JSONField", words, options
