"""What answering drawings is measured by. Definitions alone: who may read them is the site's business."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter
from typing import Literal

from prometheus_client import Histogram

Stage = Literal["decode", "prepare", "network"]

_stages = Histogram(
    "digits_drawing_stage_seconds",
    "Seconds that a drawing spent in one stage: decode (body to picture), prepare (picture to 28x28), network.",
    ["stage"],
    buckets=(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25),
)
_confidence = Histogram(
    "digits_drawing_confidence_ratio",
    "Probability, 0 to 1, that the network gave to the digit it answered.",
    buckets=(0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0),
)
_observe = {name: _stages.labels(name).observe for name in ("decode", "prepare", "network")}
# Noted where they are measured and counted together at the end, while the counting's code is in the processor's cache
# (a few microseconds of a request: benchmarks.observation).
_noted: deque[tuple[Callable[[float], None], float]] = deque(maxlen=10_000)


class stage:  # noqa: N801  (read as a word: `with metrics.stage("decode"):`)
    """Measures its block as one stage of a drawing; also when the block refuses the drawing."""

    __slots__ = ("began", "observe")

    def __init__(self, name: Stage) -> None:
        self.observe = _observe[name]

    def __enter__(self) -> None:
        self.began = perf_counter()

    def __exit__(self, kind: object, *_: object) -> None:
        _noted.append((self.observe, perf_counter() - self.began))
        if kind is not None:
            count()


def answered(confidence: float) -> None:
    """A drawing got its answer; `confidence` is a fraction."""
    _noted.append((_confidence.observe, confidence))
    count()


def count() -> None:
    """Whatever any thread has noted."""
    with suppress(IndexError):  # another thread was faster
        while _noted:
            observe, value = _noted.popleft()
            observe(value)
