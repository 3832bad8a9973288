"""Metrics of the way from a drawing to its answer."""

from time import perf_counter
from typing import Literal

from prometheus_client import Histogram

Stage = Literal["decode", "prepare", "network"]

_stages = Histogram(
    "digits_drawing_stage_seconds",
    "Seconds that a drawing spent in one stage: decode (bytes to picture), prepare (picture to 28x28), network.",
    ["stage"],
    buckets=(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25),
)
_confidence = Histogram(
    "digits_drawing_confidence_ratio",
    "Probability, 0 to 1, that the network gave to the digit it answered.",
    buckets=(0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0),
)
_observe = {name: _stages.labels(name).observe for name in ("decode", "prepare", "network")}


class stage:  # noqa: N801  (read as a word: `with metrics.stage("decode"):`)
    """Time its block as one stage of a drawing, or of `times` drawings, also if the block raises."""

    __slots__ = ("began", "observe", "times")

    def __init__(self, name: Stage, times: int = 1) -> None:
        self.observe, self.times = _observe[name], times

    def __enter__(self) -> None:
        self.began = perf_counter()

    def __exit__(self, *_error: object) -> None:
        seconds = perf_counter() - self.began
        for _ in range(self.times):
            self.observe(seconds / self.times)


def observe_confidence(confidence: float) -> None:
    """Count an answer; `confidence` is a fraction."""
    _confidence.observe(confidence)
