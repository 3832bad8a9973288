"""How the admin writes numbers and times: as the pages do in js/format.js."""

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

NOTHING = "–"


def percent(fraction: float | None) -> str:
    """Format an accuracy: 99.61%."""
    return NOTHING if fraction is None else f"{fraction:.2%}"


def probability(value: float | None) -> str:
    """Format a probability with one decimal; 100% only if it is exactly 1."""
    if value is None:
        return NOTHING
    return "100%" if value >= 1 else f"{min(value, 0.999):.1%}"


def count(number: int | None) -> str:
    """Format a count: 60,000."""
    return NOTHING if number is None else f"{number:,}"


def significant(value: float | None) -> str:
    """Format a rate or another measure with three significant digits: 0.001, 0.548."""
    return NOTHING if value is None else f"{float(f'{value:.3g}'):.10f}".rstrip("0").rstrip(".")


def duration(seconds: float) -> str:
    """Format a duration: 1 h 2 min, 3 min 20 s, 42 s, 4.2 s."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min {rest} s"


def time_tag(moment: datetime | None) -> SafeString:
    """Return a time element: in UTC, until training/js/admin/times.js writes it in the reader's zone."""
    if moment is None:
        return SafeString(NOTHING)
    utc = moment.astimezone(timezone.utc)
    html = '<time datetime="{}">{} UTC</time>'
    return format_html(html, utc.isoformat(timespec="seconds"), f"{utc:%Y-%m-%d %H:%M}")


def time_column(field: str, description: str) -> Callable[[Any, Any], SafeString]:
    """Return a method of a ModelAdmin that shows the object's time in `field`, for its lists and pages."""

    @admin.display(description=description, ordering=field)
    def column(self: Any, obj: Any) -> SafeString:
        return time_tag(getattr(obj, field))

    return column
