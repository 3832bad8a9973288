"""Metrics of every request and of every error response."""

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
_children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}


def observe(route: str, method: str, status: int, seconds: float) -> None:
    """Record one response. Label combinations are few, so each is looked up once and kept."""
    key = (route, method, status // 100)
    children = _children.get(key)
    if children is None:
        label = method if method in METHODS else "other"
        count = _requests.labels(route, label, f"{status // 100}xx")
        children = count, _durations.labels(route, label)
        if label == method:  # made-up methods are not kept
            _children[key] = children
    children[0].inc()
    children[1].observe(seconds)


def count_refusal(code: str) -> None:
    """Count one error response by its code; in a batch, each drawing's."""
    _refusals.labels(code).inc()
