"""Find likely mistakes among the corrections: computed in the database, ordered by, and put into a few words.

The facts that compare corrections count all of them, whatever the queryset is filtered by.
"""

from collections import defaultdict
from collections.abc import Sequence
from enum import IntFlag

from django.db.models import Case, Count, F, FloatField, IntegerField, Max, Min, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from recognition.models import NO_DIGIT, Correction

# Of MNIST's 70,000 digits, 1 in 1,000 has less ink, and 1 in 2,000 more.
MIN_INK, MAX_INK = 0.035, 0.305
NO_DIGIT_CONFIDENCE = 0.375  # an uncertain prediction below it is spread over many digits, as for scribbles
SURE = 0.9  # where the model has no threshold of its own
MANY_FROM_ONE_ADDRESS = 20  # pending corrections
MANY_NEAR_DUPLICATES = 10


class Reason(IntFlag):
    """Why a correction is suspicious. The sum orders corrections, so the strongest reason has the greatest value."""

    NO_DIGIT_SEEN = 1
    NEAR_DUPLICATES = 2
    ONE_ADDRESS = 4
    CONTRADICTED = 8
    INK = 16
    SURE_OF_ANOTHER = 32


REASON_NAMES = {
    Reason.SURE_OF_ANOTHER: "Model sure of another digit",
    Reason.INK: "Blot or nearly empty",
    Reason.CONTRADICTED: "Near-duplicate with another label",
    Reason.ONE_ADDRESS: "Many from one address",
    Reason.NEAR_DUPLICATES: "Many near-duplicates",
    Reason.NO_DIGIT_SEEN: "Model sees no digit",
}


def not_rejected() -> QuerySet[Correction]:
    return Correction.objects.exclude(state=Correction.State.REJECTED).order_by()


def pending_with_sender() -> QuerySet[Correction]:
    return Correction.objects.filter(state=Correction.State.PENDING).exclude(sender="").order_by()


def conditions() -> dict[Reason, Q]:
    """Return the condition of each reason."""
    by_signature = not_rejected().values("signature")
    contradicted = by_signature.annotate(least=Min("label"), greatest=Max("label")).filter(least__lt=F("greatest"))
    repeated = by_signature.annotate(count=Count("pk")).filter(count__gte=MANY_NEAR_DUPLICATES)
    busy = pending_with_sender().values("sender").annotate(count=Count("pk")).filter(count__gte=MANY_FROM_ONE_ADDRESS)
    threshold = Coalesce("model__uncertain_below", SURE, output_field=FloatField())
    return {
        Reason.SURE_OF_ANOTHER: Q(predicted__isnull=False, uncertain=False, confidence__gte=threshold)
        & ~Q(predicted=F("label")),
        Reason.INK: ~Q(label=NO_DIGIT) & (Q(ink__lt=MIN_INK) | Q(ink__gt=MAX_INK)),
        Reason.CONTRADICTED: Q(signature__in=contradicted.values("signature")),
        Reason.ONE_ADDRESS: Q(sender__in=busy.values("sender")),
        Reason.NEAR_DUPLICATES: Q(signature__in=repeated.values("signature")),
        Reason.NO_DIGIT_SEEN: ~Q(label=NO_DIGIT) & Q(uncertain=True, confidence__lt=NO_DIGIT_CONFIDENCE),
    }


def with_suspicion(corrections: QuerySet[Correction]) -> QuerySet[Correction]:
    """Annotate `suspicion`: the sum of the reasons, 0 if there is none."""
    cases = [
        Case(When(condition, then=Value(int(reason))), default=Value(0), output_field=IntegerField())
        for reason, condition in conditions().items()
    ]
    return corrections.annotate(suspicion=sum(cases[1:], start=cases[0]))


def with_reason(corrections: QuerySet[Correction], reason: int) -> QuerySet[Correction]:
    """Return those of `corrections` that have the reason."""
    return corrections.filter(conditions()[Reason(reason)])


def explain(corrections: Sequence[Correction]) -> dict[int, list[str]]:
    """Return the reasons of each annotated correction in a few words, the strongest first. At most two queries."""
    reasons = {one.pk: Reason(getattr(one, "suspicion", 0)) for one in corrections}
    alike = Reason.CONTRADICTED | Reason.NEAR_DUPLICATES
    labels = labels_by_signature({one.signature for one in corrections if reasons[one.pk] & alike})
    senders = {one.sender for one in corrections if reasons[one.pk] & Reason.ONE_ADDRESS}
    counts = pending_by_sender(senders)
    return {
        one.pk: [
            phrase(one, reason, labels[one.signature], counts.get(one.sender, 0))
            for reason in REASON_NAMES
            if reason in reasons[one.pk]
        ]
        for one in corrections
    }


def labels_by_signature(signatures: set[str]) -> dict[str, dict[int, int]]:
    """Return how many corrections of each label have each of these signatures."""
    found: dict[str, dict[int, int]] = defaultdict(dict)
    if signatures:
        alike = not_rejected().filter(signature__in=signatures).values_list("signature", "label")
        for signature, label, count in alike.annotate(count=Count("pk")):
            found[signature][label] = count
    return found


def pending_by_sender(senders: set[str]) -> dict[str, int]:
    """Return how many pending corrections came from each of these addresses."""
    if not senders:
        return {}
    rows = pending_with_sender().filter(sender__in=senders).values_list("sender")
    return dict(rows.annotate(count=Count("pk")))


def phrase(correction: Correction, reason: Reason, labels: dict[int, int], pending: int) -> str:
    """Put one reason into a few words. `labels` counts the near-duplicates' labels."""
    if reason is Reason.CONTRADICTED:
        others = {label: count for label, count in labels.items() if label != correction.label}
        return f"near-duplicate labelled {dict(Correction.LABELS)[max(others, key=others.__getitem__)]}"
    if reason is Reason.SURE_OF_ANOTHER:
        return f"model sure of {correction.predicted}"
    if reason is Reason.INK:
        return "blot" if correction.ink > MAX_INK else "nearly empty"
    if reason is Reason.ONE_ADDRESS:
        return f"{pending} from one address"
    if reason is Reason.NEAR_DUPLICATES:
        return f"{sum(labels.values())} similar"
    return "model sees no digit"
