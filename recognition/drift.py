"""Are the drawings still like those that the model was calibrated on? Figures by day, from the daily statistics.

The mean of calibrated confidences estimates the accuracy without labels: confidence-based performance estimation
(CBPE), https://nannyml.readthedocs.io. It holds while drawings resemble those that the calibration was fitted to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone

from django.db.models import CharField, Count, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Cast, Substr

from recognition.models import Activation, Correction, DailyPredictions

SHOWN_DAYS = 30
RECENT_DAYS = 7  # compared with the BEFORE_DAYS before them
BEFORE_DAYS = 30


@dataclass
class Period:
    """Sums over one day or several."""

    drawings: int = 0
    uncertain: int = 0
    confidence: float = 0.0
    corrections: int = 0
    digits: list[int] = field(default_factory=lambda: [0] * 10)

    def add(self, other: Period) -> None:
        self.drawings += other.drawings
        self.uncertain += other.uncertain
        self.confidence += other.confidence
        self.corrections += other.corrections
        self.digits = [a + b for a, b in zip(self.digits, other.digits, strict=True)]

    def per_drawing(self, number: float) -> float | None:
        """Return the number divided by the drawings; None without drawings."""
        return number / self.drawings if self.drawings else None

    @property
    def estimated_accuracy(self) -> float | None:
        return self.per_drawing(self.confidence)

    @property
    def uncertain_share(self) -> float | None:
        return self.per_drawing(self.uncertain)

    @property
    def corrections_per_thousand(self) -> float | None:
        return self.per_drawing(1000 * self.corrections)

    @property
    def digit_shares(self) -> list[float | None]:
        return [self.per_drawing(number) for number in self.digits]


def total(days: dict[date, Period], first: date, last: date) -> Period:
    """Return the sums over the days from `first` to `last`, both included."""
    period = Period()
    for day, one in days.items():
        if first <= day <= last:
            period.add(one)
    return period


@dataclass(frozen=True)
class Drift:
    """The last SHOWN_DAYS, oldest first, and the last RECENT_DAYS beside the BEFORE_DAYS before them."""

    days: dict[date, Period]
    recent: Period
    before: Period


def drift(today: date | None = None) -> Drift:
    """Return the figures up to `today` in UTC, from two queries."""
    today = today or datetime.now(timezone.utc).date()
    recent_from = today - timedelta(days=RECENT_DAYS - 1)
    before_from = recent_from - timedelta(days=BEFORE_DAYS)
    days = periods(before_from)
    shown = [today - timedelta(days=age) for age in reversed(range(SHOWN_DAYS))]
    return Drift(
        days={day: days.get(day, Period()) for day in shown},
        recent=total(days, recent_from, today),
        before=total(days, before_from, recent_from - timedelta(days=1)),
    )


def periods(first: date) -> dict[date, Period]:
    """Return the sums of each day since `first` that has any."""
    days: dict[date, Period] = {}
    rows = DailyPredictions.objects.filter(day__gte=first).order_by().values("day", "digit")
    for row in rows.annotate(count=Sum("count"), uncertain=Sum("uncertain"), confidence=Sum("confidence")):
        digits = [row["count"] if row["digit"] == digit else 0 for digit in range(10)]
        one = Period(row["count"], row["uncertain"], row["confidence"], digits=digits)
        days.setdefault(row["day"], Period()).add(one)
    for day, number in corrections_by_day(first):
        days.setdefault(day, Period()).corrections += number
    return days


def corrections_by_day(first: date) -> list[tuple[date, int]]:
    """Return for each day how many drawings a visitor called misread.

    Left out are imports, rejected corrections, labels that confirm the prediction, and answers of models that were not
    in service then.
    """
    begin = datetime(first.year, first.month, first.day, tzinfo=timezone.utc)
    misread = Correction.objects.filter(~Q(label=F("predicted")), predicted__isnull=False, created_at__gte=begin)
    misread = misread.exclude(source=Correction.Source.IMPORT).exclude(state=Correction.State.REJECTED)
    serving = Activation.objects.filter(at__lte=OuterRef("created_at")).values("model_id")[:1]  # the newest
    misread = misread.filter(Q(model=None) | Q(model=Subquery(serving)))
    day = Substr(Cast("created_at", CharField()), 1, 10)  # with TruncDate, SQLite would call Python for every row
    return [
        (date.fromisoformat(text), number) for text, number in misread.order_by().values_list(day).annotate(Count("pk"))
    ]
