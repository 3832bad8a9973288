"""Which runs may be deleted, and with them which models that nothing else needs."""

from collections.abc import Collection
from datetime import timedelta

from django.db.models.functions import Coalesce
from django.utils import timezone

from recognition.deletion import Plan, explain_kept, reasons_in_registry, reasons_to_keep
from training.models import SHIPPED, UNFINISHED, TrainingRun


def reasons_in_runs(models: Collection[int], going_runs: Collection[int] = ()) -> dict[int, str]:
    """Return why models stay for the sake of runs, by their IDs. It is a rule of recognition.deletion."""
    runs = TrainingRun.objects.exclude(pk__in=going_runs).order_by("-pk")
    bases = runs.filter(base__in=models).values_list("base", "pk")
    reasons = {base: f"run {number} began with it" for base, number in bases if base is not None}
    shipped = runs.filter(model__in=models, worker=SHIPPED).values_list("model", flat=True)
    return reasons | {number: "shipped with Digits" for number in shipped if number is not None}


def plan_runs(numbers: Collection[int], with_models: bool = True) -> Plan:
    """Return what a deletion of these runs would do, with the models that they trained or began with."""
    rows = TrainingRun.objects.filter(pk__in=numbers).only("status", "worker", "model", "base")
    runs = {run.pk: run for run in rows}
    needed = reasons_in_registry({run.model_id for run in runs.values() if run.model_id})
    kept = {run.pk: f"its model is {needed[run.model_id]}" for run in runs.values() if run.model_id in needed}
    kept |= {run.pk: "shipped with Digits" for run in runs.values() if run.worker == SHIPPED}
    kept |= {run.pk: f"it is {run.get_status_display()}" for run in runs.values() if not run.has_ended}
    continued = TrainingRun.objects.unfinished().filter(continues__in=runs).values_list("continues", "pk")
    kept |= {pk: f"run {number} continues it" for pk, number in continued if pk is not None}
    going = runs.keys() - kept.keys()
    own = {model for pk in going if (model := runs[pk].model_id)}
    candidates = own | {base for pk in going if (base := runs[pk].base_id)} if with_models else set()
    others = TrainingRun.objects.filter(model__in=candidates).exclude(pk__in=going).values_list("model", flat=True)
    candidates -= {model for model in others if model}
    reasons = reasons_to_keep(candidates, going)
    explained = explain_kept("model", {model: reason for model, reason in reasons.items() if model in own})
    return Plan(
        runs=tuple(sorted(going)),
        models=tuple(sorted(candidates - reasons.keys())),
        kept=(*explain_kept("run", kept), *explained),
    )


def old_runs(older_than_days: int | None, keep: int | None) -> list[int]:
    """Return the runs that ended more than so many days ago, without the newest ones, the oldest first.

    The shipped runs, which always stay, are not counted.
    """
    own = TrainingRun.objects.exclude(worker=SHIPPED)
    runs = own.exclude(status__in=UNFINISHED)
    if older_than_days is not None:
        cutoff = timezone.now() - timedelta(days=older_than_days)
        runs = runs.annotate(ended_at=Coalesce("finished_at", "queued_at")).filter(ended_at__lt=cutoff)
    newest = own.newest_first().values_list("pk", flat=True)[: keep or 0]
    return sorted(set(runs.values_list("pk", flat=True)) - set(newest))
