"""Metrics of every request and of every error response."""

from functools import lru_cache

from prometheus_client import Counter, Histogram, disable_created_metrics

disable_created_metrics()  # their `_created` series have no meaning across processes
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_requests = Counter(
    "digits_http_requests",
    "HTTP requests answered, by route name, method and status class.",
    ["route", "method", "status"],
)
_durations = Histogram(
    "digits_http_request_duration_seconds",
    "Seconds from the first middleware to the response; for a stream, to its start.",
    ["route", "method"],
    buckets=(0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
_refusals = Counter("digits_refusals", "Error responses, by the code in their body.", ["code"])


def observe(route: str, method: str, status: int, seconds: float) -> None:
    """Record one response."""
    count, duration = children(route, method if method in METHODS else "other", status // 100)
    count.inc()
    duration.observe(seconds)


@lru_cache(maxsize=1024)  # more than there are: looking up labels takes longer than counting
def children(route: str, method: str, status_class: int) -> tuple[Counter, Histogram]:
    return _requests.labels(route, method, f"{status_class}xx"), _durations.labels(route, method)


def count_refusal(code: str) -> None:
    """Count one error response by its code; in a batch, each drawing's."""
    _refusals.labels(code).inc()
