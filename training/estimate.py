"""About how long a run will take on this installation, from how long earlier ones took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from training.learner.presets import PRESETS, TRAINING_DIGITS, Preset
from training.models import Status, TrainingRun

RECENT_RUNS = 20
AROUND_SECONDS = 7.0  # before the first batch and after the last epoch: importing, loading, testing, exporting
FIELDS = ("title", "epochs", "batch_size", "samples", "learning_rate")


def presets() -> list[dict[str, Any]]:
    """Every preset with its defaults and its pace: seconds for an epoch of one sample, and seconds around the epochs.

    `seconds_per_sample` is null where no run has completed yet.
    """
    completed = TrainingRun.objects.filter(status=Status.COMPLETED).newest_first()
    recent = completed.prefetch_related("epochs")[:RECENT_RUNS]
    runs = [run for run in recent if run.preset in PRESETS]
    return [
        {
            "name": name,
            **{key: value for key, value in asdict(preset).items() if key in FIELDS},
            "seconds_per_sample": seconds_per_sample(name, runs),
            "seconds_around": AROUND_SECONDS,
        }
        for name, preset in PRESETS.items()
    ]


def seconds_per_sample(name: str, runs: Sequence[TrainingRun]) -> float | None:
    """From the largest of this preset's latest runs; else from one of any preset, by the pictures it learns from."""
    same = [run for run in runs if run.preset == name]
    measured = max(same or runs, key=lambda run: run.parameters["samples"], default=None)
    if measured is None:
        return None
    seconds = min((epoch.seconds for epoch in measured.epochs.all()), default=None)
    if seconds is None:
        return None
    pictures = measured.parameters["samples"] * pictures_per_sample(PRESETS[measured.preset])
    return round(seconds / pictures * pictures_per_sample(PRESETS[name]), 8)


def pictures_per_sample(preset: Preset) -> float:
    """What is drawn by the program comes on top of MNIST's digits."""
    return 1 + (preset.drawn + preset.others) / TRAINING_DIGITS
