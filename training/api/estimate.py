"""Estimate a run's duration on this installation from an earlier run of the same preset."""

from statistics import mean

from training.learner.presets import PRESETS
from training.models import SHIPPED, Status, TrainingRun

RECENT_RUNS = 20


def estimate(name: str) -> dict[str, float] | None:
    """Return a run's fixed seconds, seconds per sample, and seconds per sample and epoch; None before the first run.

    Measured in the largest of the preset's latest runs with its default batch size. The shipped run was trained
    elsewhere, and a resumed run has not measured all of its phases. In the first epoch TensorFlow also prepares, for
    as long in a small run as in a large one: that is part of the fixed seconds.
    """
    completed = TrainingRun.objects.filter(status=Status.COMPLETED, preset=name, resumed_after_epoch=0)
    runs = completed.exclude(worker=SHIPPED).defer("confusion").newest_first()[:RECENT_RUNS]
    comparable = [run for run in runs if run.parameters["batch_size"] == PRESETS[name].batch_size]
    measured = max(comparable, key=digits_learned, default=None)
    if measured is None or measured.started_at is None or measured.finished_at is None:
        return None
    total = (measured.finished_at - measured.started_at).total_seconds()
    drawing, fitting = (measured.phase_seconds.get(phase, 0.0) for phase in ("drawing", "fitting"))
    later_epochs = list(measured.epochs.order_by("epoch").values_list("seconds", flat=True))[1:]
    learning = min(fitting, mean(later_epochs) * measured.parameters["epochs"]) if later_epochs else fitting
    return {
        "fixed_seconds": round(max(0.0, total - drawing - learning), 3),
        "seconds_per_sample": round(drawing / measured.parameters["samples"], 8),
        "seconds_per_sample_epoch": round(learning / digits_learned(measured), 8),
    }


def digits_learned(run: TrainingRun) -> int:
    """Return the number of digits of all epochs together."""
    return int(run.parameters["samples"] * run.parameters["epochs"])
