"""The tags of runs, what they began with, and how their models compare with it: in one query each."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from recognition import registry
from recognition.models import Comparison
from training.models import RunCorrections, RunTag, TrainingRun


class RunCorrectionsSerializer(serializers.ModelSerializer[RunCorrections]):
    class Meta:
        model = RunCorrections
        fields = ("count", "held_out", "sha256")


def corrections_of(runs: Iterable[TrainingRun]) -> dict[int, dict[str, Any]]:
    """Return the corrections that each of the runs used, by the run's ID; a run without any is missing."""
    adapted = [run.pk for run in runs if run.base_id]
    if not adapted:
        return {}
    rows = RunCorrections.objects.filter(run__in=adapted).values("run_id", *RunCorrectionsSerializer.Meta.fields)
    return {row.pop("run_id"): row for row in map(dict[str, Any], rows)}


def tags_of(runs: Iterable[TrainingRun]) -> dict[int, list[str]]:
    """Return the tags of each of the runs, by the run's ID; a run without any is missing."""
    found: dict[int, list[str]] = {}
    for run, name in (
        RunTag.objects.filter(run__in=[run.pk for run in runs]).order_by("name").values_list("run", "name")
    ):
        found.setdefault(run, []).append(name)
    return found


def comparisons_of(runs: Iterable[TrainingRun]) -> dict[tuple[int | None, int | None], dict[str, Any]]:
    """Return the summaries of the comparisons of the runs' models, by the IDs of (champion, challenger)."""
    challengers = [run.model_id for run in runs if run.base_id and run.model_id]
    if not challengers:
        return {}
    rows = Comparison.objects.filter(challenger__in=challengers).defer("examples")
    return {(row.champion_id, row.challenger_id): registry.summarize(row) for row in rows}
