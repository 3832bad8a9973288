"""How many corrections there are, by state and label."""

from typing import Any

from django.conf import settings
from django.db.models import Count, Q
from django.db.models.functions import Coalesce

from recognition.corrections.labels import label_name
from recognition.models import Activation, Correction

STATES = (Correction.State.ACCEPTED, Correction.State.PENDING)


def summary() -> dict[str, Any]:
    """Return the accepted and the pending corrections by label, and of the accepted ones two counts.

    `held_out` of them judge models, and `since_model` were accepted after the model in service was created.
    """
    counts: dict[str, Any] = {state: {label_name(label): 0 for label, _ in Correction.LABELS} for state in STATES}
    activation = Activation.current()
    is_later = Q(accepted_at__gt=activation.model.created_at) if activation else Q()
    rows = (
        Correction.objects.filter(state__in=STATES)
        .order_by()
        .alias(accepted_at=Coalesce("decided_at", "created_at"))
        .values_list("state", "label")
        .annotate(
            count=Count("*"),
            held_out_count=Count("state", filter=Q(held_out=True)),
            later_count=Count("state", filter=is_later),
        )
    )
    counts |= {"held_out": 0, "since_model": 0}
    for state, label, count, held_out, later in rows:
        counts[state][label_name(label)] = count
        if state == Correction.State.ACCEPTED:
            counts["held_out"] += held_out
            counts["since_model"] += later
    return counts


def is_full() -> bool:
    """Return whether MAX_PENDING_CORRECTIONS are pending. Reads the index alone."""
    pending = Correction.objects.filter(state=Correction.State.PENDING)
    return 0 < settings.MAX_PENDING_CORRECTIONS <= pending.count()


def count_by_state() -> dict[str, int]:
    """Return how many corrections are pending, accepted and rejected; and `held_out`, how many of the accepted are."""
    counts: dict[str, int] = dict.fromkeys(Correction.State.values, 0) | {"held_out": 0}
    rows = Correction.objects.order_by().values_list("state", "held_out").annotate(count=Count("*"))
    for state, held_out, count in rows:
        counts[state] += count
        counts["held_out"] += count if held_out and state == Correction.State.ACCEPTED else 0
    return counts
