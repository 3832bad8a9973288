"""The numbers behind a run's pictures in the admin; the SVG itself stands in templates/admin/training/."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 480, 200
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 28
TICKS = 4
MOST_DOTS = 30


@dataclass(frozen=True)
class Line:
    """One measure over the epochs, in SVG coordinates."""

    name: str
    points: list[tuple[float, float]]

    @property
    def dots(self) -> list[tuple[float, float]]:
        """The points to be marked: all while they can be told apart."""
        return self.points if len(self.points) <= MOST_DOTS else []

    @property
    def path(self) -> str:
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in self.points)


@dataclass(frozen=True)
class Chart:
    """Lines that share their axes; `ticks` are (label, y), `epochs` are (label, x)."""

    title: str
    lines: list[Line]
    ticks: list[tuple[str, float]]
    epochs: list[tuple[str, float]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


def chart(
    title: str, epochs: Sequence[Any], measures: dict[str, str], label: str, bounds: tuple[float, float]
) -> Chart:
    """A chart of `measures` (name shown -> attribute of an epoch), of which some epoch has at least one.

    `label` formats a value; `bounds` are what the measure cannot be beyond.
    """
    series = {
        name: [(e.epoch, value) for e in epochs if (value := getattr(e, attribute)) is not None]
        for name, attribute in measures.items()
    }
    values = [value for points in series.values() for _, value in points]
    low, high = min(values), max(values)
    room = (high - low) * 0.08 or abs(high) * 0.05 or 0.01
    low, high = max(low - room, bounds[0]), min(high + room, bounds[1])
    last = max(epochs[-1].epoch, 2)

    def x(epoch: int) -> float:
        return LEFT + (epoch - 1) / (last - 1) * (WIDTH - RIGHT - LEFT)

    def y(value: float) -> float:
        return TOP + (high - value) / (high - low) * (HEIGHT - BOTTOM - TOP)

    levels = [low + (high - low) * i / (TICKS - 1) for i in range(TICKS)]
    step = -(-last // 10)
    return Chart(
        title=title,
        lines=[Line(name, [(x(e), y(v)) for e, v in points]) for name, points in series.items() if points],
        ticks=[(label.format(level), y(level)) for level in levels],
        epochs=[(str(e), x(e)) for e in range(1, last + 1, step)],
    )


def run_charts(epochs: Sequence[Any]) -> list[Chart]:
    """Accuracy and loss over the epochs, and the objective where it is another measure; only what was measured."""
    wanted: list[tuple[str, dict[str, str], str, tuple[float, float]]] = [
        ("Accuracy", {"training": "accuracy", "validation": "val_accuracy"}, "{:.1%}", (0, 1)),
        ("Loss (cross-entropy)", {"training": "loss", "validation": "val_loss"}, "{:.3f}", (0, math.inf)),
    ]
    if any(epoch.objective != epoch.loss for epoch in epochs):
        wanted.append(("Objective (minimised in training)", {"training": "objective"}, "{:.3f}", (0, math.inf)))
    return [
        chart(title, epochs, measures, label, bounds)
        for title, measures, label, bounds in wanted
        if any(getattr(epoch, attribute) is not None for epoch in epochs for attribute in measures.values())
    ]


def heat_map(confusion: Sequence[Sequence[int]]) -> list[dict[str, Any]]:
    """Rows of a confusion matrix: counts with an opacity 0-1, the diagonal and the mistakes each on its own scale."""
    mistakes = [n for i, row in enumerate(confusion) for j, n in enumerate(row) if i != j]
    worst = max([*mistakes, 1])
    rows = []
    for i, row in enumerate(confusion):
        total = sum(row)
        cells = [
            {
                "count": n,
                "right": i == j,
                "opacity": round(0.35 * n / total if i == j and total else 0.15 + 0.6 * n / worst if n else 0, 2),
            }
            for j, n in enumerate(row)
        ]
        rows.append({"digit": i, "cells": cells, "total": total, "recall": row[i] / total if total else None})
    return rows


SPARK_WIDTH, SPARK_HEIGHT, SPARK_EDGE = 96, 24, 3


def sparkline(epochs: Sequence[Any]) -> dict[str, Any] | None:
    """A small curve for a row of a list: validation accuracy where there is one, else training accuracy."""
    name = "val_accuracy" if epochs and epochs[-1].val_accuracy is not None else "accuracy"
    values = [value for e in epochs if (value := getattr(e, name)) is not None]
    if not values:
        return None
    low, high = min(values), max(values)
    across = (SPARK_WIDTH - 2 * SPARK_EDGE) / max(len(values) - 1, 1)
    down = (SPARK_HEIGHT - 2 * SPARK_EDGE) / ((high - low) or 1)
    points = [(SPARK_EDGE + i * across, SPARK_EDGE + (high - value) * down) for i, value in enumerate(values)]
    kind = "Validation" if name == "val_accuracy" else "Training"
    return {
        "points": " ".join(f"{x:.1f},{y:.1f}" for x, y in points),
        "last": (f"{points[-1][0]:.1f}", f"{points[-1][1]:.1f}"),
        "title": f"{kind} accuracy from {values[0]:.2%} to {values[-1]:.2%}",
        "width": SPARK_WIDTH,
        "height": SPARK_HEIGHT,
    }
