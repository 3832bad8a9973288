"""What every request is measured by, and every error that is answered."""

from __future__ import annotations

from prometheus_client import Counter, Histogram, disable_created_metrics

disable_created_metrics()  # a second series for each of these, which several processes together cannot tell
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_requests = Counter(
    "digits_http_requests",
    "HTTP requests answered, by name of the route, method and class of the status.",
    ["route", "method", "status"],
)
_durations = Histogram(
    "digits_http_request_duration_seconds",
    "Seconds from a request's first middleware to its answer; of a stream, to the answer's beginning.",
    ["route", "method"],
    buckets=(0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
_refusals = Counter("digits_refusals", "Errors answered, by the code that the answer names.", ["code"])
_children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}


def observe(route: str, method: str, status: int, seconds: float) -> None:
    """Count one answered request. Routes, methods and classes of status are few: looked up once, kept."""
    key = (route, method, status // 100)
    children = _children.get(key)
    if children is None:
        verb = method if method in METHODS else "other"
        count = _requests.labels(route, verb, f"{status // 100}xx")
        children = count, _durations.labels(route, verb)
        if verb == method:  # what a client invents is not kept
            _children[key] = children
    children[0].inc()
    children[1].observe(seconds)


def count_refusal(code: str) -> None:
    """Count one error that is answered under this code; of a batch, each drawing's."""
    _refusals.labels(code).inc()
