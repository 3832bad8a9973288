"""How many corrections there are, by state and label."""

from typing import Any

from django.db.models import Count
from django.db.models.functions import Coalesce

from recognition.corrections.labels import label_name
from recognition.models import Activation, Correction

STATES = (Correction.State.ACCEPTED, Correction.State.PENDING)


def summary() -> dict[str, Any]:
    """Return the accepted and the pending corrections by label, and of the accepted ones two counts.

    `held_out` of them judge models, and `since_model` were accepted after the model in service was created.
    """
    counts: dict[str, Any] = {state: {label_name(label): 0 for label, _ in Correction.LABELS} for state in STATES}
    rows = Correction.objects.filter(state__in=STATES).order_by().values_list("state", "label")
    for state, label, count in rows.annotate(count=Count("pk")):
        counts[state][label_name(label)] = count
    accepted = since = Correction.objects.filter(state=Correction.State.ACCEPTED)
    if activation := Activation.current():
        since = since.alias(accepted_at=Coalesce("decided_at", "created_at"))
        since = since.filter(accepted_at__gt=activation.model.created_at)
    held_out = accepted.filter(held_out=True)
    return counts | {"held_out": held_out.count(), "since_model": since.count()}


def count_by_state() -> dict[str, int]:
    """Return how many corrections are pending, accepted and rejected; and `held_out`, how many of the accepted are."""
    counts: dict[str, int] = dict.fromkeys(Correction.State.values, 0) | {"held_out": 0}
    rows = Correction.objects.order_by().values_list("state", "held_out").annotate(count=Count("pk"))
    for state, held_out, count in rows:
        counts[state] += count
        counts["held_out"] += count if held_out and state == Correction.State.ACCEPTED else 0
    return counts
