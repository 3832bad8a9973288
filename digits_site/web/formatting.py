"""Numbers as people read them, alike in the admin, the commands and on the page (recognition/js/format.js)."""

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
