"""{% drift %}: the card of the admin's front page that shows whether the drawings change."""

import json
from collections.abc import Callable
from typing import Any

from django import template

from digits_site.web.formatting import MISSING, format_percent, format_probability
from recognition import drift
from recognition.drift import Drift, Period

register = template.Library()
Value = Callable[[Period], float | None]


def number(value: float | None) -> str:
    return MISSING if value is None else f"{value:.1f}"


FIGURES: tuple[tuple[str, Value, Callable[[float | None], str]], ...] = (
    ("Estimated accuracy", lambda period: period.estimated_accuracy, format_percent),
    ("Uncertain", lambda period: period.uncertain_share, format_probability),
    ("Corrections per 1,000", lambda period: period.corrections_per_thousand, number),
)


@register.inclusion_tag("admin/drift.html", name="drift")
def drift_card() -> dict[str, Any]:
    """Return what the card shows: a line for each figure, bars for the digits, and the numbers of both as tables."""
    data = drift.drift()
    recent, before = data.recent.digit_shares, data.before.digit_shares
    return {
        "has_drawings": any(day.drawings for day in data.days.values()) or data.before.drawings,
        "lines": [line(data, *figure) for figure in FIGURES],
        "bars": json.dumps([{"label": str(n), "values": [recent[n], before[n]]} for n in range(10)]),
        "digits": [(n, format_probability(recent[n]), format_probability(before[n])) for n in range(10)],
        "days": [
            (day, one.drawings, *(text(value(one)) for _, value, text in FIGURES))
            for day, one in reversed(data.days.items())
            if one.drawings
        ],
        "shown_days": drift.SHOWN_DAYS,
        "recent_days": drift.RECENT_DAYS,
        "before_days": drift.BEFORE_DAYS,
    }


def line(data: Drift, title: str, value: Value, text: Callable[[float | None], str]) -> dict[str, str]:
    """Return one figure by day as JSON, empty without a day that has it, and its texts."""
    values = [value(day) for day in data.days.values()]
    numbers = [one for one in values if one is not None]
    return {
        "title": title,
        "recent": text(value(data.recent)),
        "before": text(value(data.before)),
        "values": json.dumps([one if one is None else round(one, 5) for one in values]) if numbers else "",
        "lowest": text(min(numbers, default=None)),
        "highest": text(max(numbers, default=None)),
    }
