"""Rows of corrections for tests."""

from typing import Any

import numpy as np

from recognition.corrections.collecting import collect
from recognition.imaging import Grid, prepare
from recognition.models import Correction
from tests.support.drawings import draw, encode


def digit_grid(digit: int = 7, brush: float = 25.0) -> Grid:
    """A drawn digit as the network sees it. Another brush, in pixels, is another picture."""
    return prepare(encode(draw(digit, brush=brush)))


def pending_correction(label: int = 7, **values: Any) -> Correction:
    return new_correction(label, accepted=False, **values)


def new_correction(
    label: int = 7, *, grid: Grid | None = None, accepted: bool = True, source: str = "api", **values: Any
) -> Correction:
    """A stored correction; `values` are further fields of the row."""
    picture = digit_grid() if grid is None else grid
    accepted = values.get("state", "accepted") == "accepted" and accepted
    correction, _ = collect(picture, label, None, source=Correction.Source(source), accepted=accepted)
    if values:
        Correction.objects.filter(pk=correction.pk).update(**values)
        correction.refresh_from_db()
    return correction


def random_grids(count: int, seed: int = 1) -> list[Grid]:
    """Pictures that no two tests need to look at: noise, all different."""
    return list(np.random.default_rng(seed).random((count, 28, 28), dtype=np.float32))
