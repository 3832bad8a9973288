"""Deletion of runs in the admin, with the models that nothing else needs."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.contrib import admin
from django.http import HttpRequest

from digits_site.web.admin.actions import AdminAction, Explanation
from recognition.admin import MAY_DELETE_MODELS, delete, explain_plan
from recognition.deletion import Plan, name_all
from training.history.deletion import plan_runs
from training.models import TrainingRun

MAY_DELETE_RUNS = "training.delete_trainingrun"


class Selection(NamedTuple):
    """The runs to delete, and whether the user may delete models too."""

    numbers: list[int]
    with_models: bool

    @classmethod
    def of(cls, request: HttpRequest, runs: list[TrainingRun]) -> "Selection":
        return cls([run.pk for run in runs], request.user.has_perm(MAY_DELETE_MODELS))

    def plan(self) -> Plan:
        return plan_runs(*self)


def explain_runs(selection: Selection) -> Explanation:
    plan = selection.plan()
    effects = [f"{name_all('run', plan.runs)} will be deleted, with epochs and test predictions."]
    if plan.models:
        effects.append(f"{name_all('model', plan.models)}, which nothing else needs, will be deleted too.")
    if not selection.with_models:
        effects.append("Their models stay. You need permission to delete models.")
    return explain_plan(plan, effects)


def delete_runs(
    model_admin: admin.ModelAdmin, request: HttpRequest, selection: Selection, values: Mapping[str, Any], state: str
) -> None:
    delete(model_admin, request, selection.plan, state, TrainingRun.objects.all())


DELETE_RUNS = AdminAction("Delete", MAY_DELETE_RUNS, bool, explain_runs, delete_runs)
