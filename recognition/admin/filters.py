"""Filters of the wall of corrections. None needs a query."""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format

from recognition.corrections.suspicion import REASON_NAMES, with_reason
from recognition.models import NO_DIGIT, Correction

DAYS_OFFERED = 7
HASH = re.compile(r"[0-9a-f]{1,64}")


class CorrectionFilter(admin.SimpleListFilter):
    """A filter by the field that is named as its parameter. Raises IncorrectLookupParameters for an unknown value."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        if value not in {known for known, _ in self.lookup_choices}:
            raise IncorrectLookupParameters
        return self.apply(queryset, value)

    def apply(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(**{str(self.parameter_name): value})


class StateFilter(CorrectionFilter):
    """Pending corrections unless another state is chosen, or something is searched for."""

    title, parameter_name, everything = "status", "state", "all"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*Correction.State.choices, (self.everything, "all")]

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        self.default = self.everything if request.GET.get(SEARCH_VAR) else Correction.State.PENDING.value
        super().__init__(request, *args)

    def value(self) -> str:
        return super().value() or self.default

    def apply(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset if value == self.everything else super().apply(queryset, value)

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        return iter(list(super().choices(changelist))[1:])


class DigitFilter(CorrectionFilter):
    template = "admin/recognition/correction/digit_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(digit), str(digit)) for digit in range(10)]


class LabelFilter(DigitFilter):
    title = parameter_name = "label"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*super().lookups(request, model_admin), (str(NO_DIGIT), "no digit")]


class PredictedFilter(DigitFilter):
    title = parameter_name = "predicted"


class ReasonFilter(CorrectionFilter):
    title, parameter_name = "suspicion", "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(int(reason)), name) for reason, name in REASON_NAMES.items()]

    def apply(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return with_reason(queryset, int(value))


class SourceFilter(CorrectionFilter):
    title = parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return Correction.Source.choices


class HeldOutFilter(CorrectionFilter):
    title, parameter_name = "use", "held_out"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("0", "for training"), ("1", "held out")]


class DayFilter(CorrectionFilter):
    """The last days are offered; the address bar takes any day, as 2026-01-31."""

    title = parameter_name = "day"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        today = timezone.localdate()
        days = [today - timedelta(days=n) for n in range(DAYS_OFFERED)]
        if (value := self.value()) and (chosen := parse_day(value)) not in days:
            days.append(chosen)
        names = {today: "today", today - timedelta(days=1): "yesterday"}
        return [(day.isoformat(), names.get(day) or date_format(day, "D j N")) for day in days]

    def apply(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        start, end = (timezone.make_aware(datetime.combine(parse_day(value), at)) for at in (time.min, time.max))
        return queryset.filter(created_at__range=(start, end))


class HashFilter(CorrectionFilter):
    """Shown while it filters: a link on a correction's page sets it."""

    chosen = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        value = self.value()
        return [(value, self.chosen)] if value and HASH.fullmatch(value) else []

    def has_output(self) -> bool:
        return self.value() is not None


class SenderFilter(HashFilter):
    title, parameter_name, chosen = "address", "sender", "this address"


class SignatureFilter(HashFilter):
    title, parameter_name, chosen = "picture", "signature", "near-duplicates"


def parse_day(value: str) -> date:
    """Raises IncorrectLookupParameters."""
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise IncorrectLookupParameters from error


FILTERS = (
    *(StateFilter, ReasonFilter, LabelFilter, PredictedFilter, SourceFilter, DayFilter, HeldOutFilter),
    *(SenderFilter, SignatureFilter),
)
