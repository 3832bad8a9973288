"""The bodies of requests to train and to stop."""

from typing import Any

from training.parameters.description import RunDescription
from training.parameters.fields import LARGEST_ID, Parameters, StrictBooleanField, integer
from training.parameters.recipe import RunParameters


class StopParameters(Parameters):
    """The run to stop: the active one if none is named."""

    run = integer(1, LARGEST_ID)


class StartParameters(RunParameters, RunDescription):
    """A request to train: the run's parameters and description, and whether it waits for its turn."""

    queue = StrictBooleanField(
        allow_null=True,
        default=None,
        help_text="Wait for other runs to end, instead of being refused while one is active.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return {"run": the parameters, "queue": bool, "description": what was written}."""
        description = {name: attrs.pop(name) for name in ("name", "notes", "tags") if name in attrs}
        queue = bool(attrs.pop("queue"))
        return {"run": super().validate(attrs), "queue": queue, "description": description}
