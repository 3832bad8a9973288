"""From which model, by which run and on which corrections a model was trained, and its ancestors in turn."""

from typing import Any, NamedTuple

from recognition.models import ModelVersion

MAX_GENERATIONS = 10
DIGEST_CHARACTERS = 12


class Generation(NamedTuple):
    """One model of a lineage, with the run that trained it, if this installation knows it."""

    model: ModelVersion
    run: Any

    @property
    def corrections(self) -> str:
        """Return what the run learned, in words."""
        used = getattr(self.run, "corrections", None)
        if used is None:
            return ""
        total = used.count + used.held_out
        return f"{total} corrections ({used.held_out} held out, SHA-256 {used.sha256[:DIGEST_CHARACTERS]}…)"


def lineage(model: ModelVersion) -> list[Generation]:
    """Return the model and its ancestors, the youngest first, in three queries; at most MAX_GENERATIONS."""
    parents = dict(ModelVersion.objects.values_list("pk", "parent_id"))
    line: list[int] = []
    number: int | None = model.pk
    while number is not None and len(line) < MAX_GENERATIONS:
        line.append(number)
        number = parents.get(number)
    found = ModelVersion.objects.prefetch_related("runs__corrections").in_bulk(line)
    return [Generation(found[pk], min(found[pk].runs.all(), key=lambda run: run.pk, default=None)) for pk in line]
