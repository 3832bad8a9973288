"""Numbers and times as people read them, alike in the admin, the commands and on the page (js/format.js)."""

from collections.abc import Iterable
from datetime import datetime, timezone

from django.utils.html import format_html
from django.utils.safestring import SafeString

MISSING = "–"


def format_percent(share: float | None) -> str:
    """Format an accuracy or another share: 99.61%."""
    return MISSING if share is None else f"{share:.2%}"


def format_probability(probability: float | None) -> str:
    """Format a probability: 99.9%. Only exactly 1 is 100%."""
    if probability is None:
        return MISSING
    return f"{min(probability, 0.999):.1%}" if probability < 1 else "100%"


def format_duration(seconds: float | None) -> str:
    """Format a duration: 4.2 s, 42 s, 3 min 20 s, 1 h 2 min."""
    if seconds is None:
        return MISSING
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def format_count(number: int | None) -> str:
    """Format a count: 60,000."""
    return MISSING if number is None else f"{number:,}"


def format_numbers(numbers: Iterable[int]) -> str:
    """Format the numbers of rows: 1 to 3, 7 and 9."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = [part for run in runs for part in (map(str, run) if len(run) < 3 else [f"{run[0]} to {run[-1]}"])]
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def format_significant(value: float | None) -> str:
    """Format a rate or another measure with three significant digits: 0.001, 0.548."""
    return MISSING if value is None else f"{float(f'{value:.3g}'):.10f}".rstrip("0").rstrip(".")


def time_tag(moment: datetime | None) -> SafeString:
    """Return a time element: in UTC, until training/js/admin/site.js writes it in the reader's zone."""
    if moment is None:
        return SafeString(MISSING)
    utc = moment.astimezone(timezone.utc)
    html = '<time datetime="{}">{} UTC</time>'
    return format_html(html, utc.isoformat(timespec="seconds"), f"{utc:%Y-%m-%d %H:%M}")
