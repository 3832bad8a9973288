"""The database field of a run's parameters."""

from typing import Any

from django.db import models

from training.parameters import PARAMETERS


class ParametersField(models.JSONField):
    """Stores a run's parameters, and returns them in the order of PARAMETERS: PostgreSQL's jsonb keeps none."""

    def from_db_value(self, *args: Any) -> Any:
        value = super().from_db_value(*args)
        if not isinstance(value, dict):
            return value
        return {name: value[name] for name in PARAMETERS if name in value} | value

    def deconstruct(self) -> Any:
        """Return a plain JSONField for migrations."""
        name, _, args, options = super().deconstruct()
        return name, "django.db.models.JSONField", args, options
