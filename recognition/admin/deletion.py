"""Deletion of models in the admin. The parts that deletion of runs shares are here too."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst

from digits_site.web.admin.actions import AdminAction, Explanation, NothingToDo
from recognition.deletion import Plan, delete_planned, name_all, plan_models
from recognition.models import ModelVersion

MAY_DELETE_MODELS = "recognition.delete_modelversion"
FINAL = "This cannot be undone."


def explain_plan(plan: Plan, effects: Sequence[str]) -> Explanation:
    """Explain what goes and what stays. Raises NothingToDo if all of it stays."""
    if not (plan.runs or plan.models):
        raise NothingToDo(" ".join(["Nothing was deleted.", *plan.kept]))
    return Explanation([*map(capfirst, effects), FINAL], list(plan.kept), plan.state)


def delete(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    make_plan: Callable[[], Plan],
    state: str,
    all_runs: QuerySet[Any] | None = None,
) -> None:
    """Delete what the confirmed plan names. Raises StateChanged."""
    plan = delete_planned(make_plan, state, request.user, all_runs)
    model_admin.message_user(request, f"Deleted {plan}.", messages.SUCCESS)


def explain_models(models: Sequence[ModelVersion]) -> Explanation:
    plan = plan_models([model.pk for model in models])
    gone = f"{name_all('model', plan.models)} will be deleted, with files, comparisons and daily statistics."
    stays = "The runs and corrections stay in the history, without a model. Rolling back skips deleted models."
    return explain_plan(plan, [gone, stays])


def delete_models(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    models: Sequence[ModelVersion],
    values: Mapping[str, Any],
    state: str,
) -> None:
    numbers = [model.pk for model in models]
    delete(model_admin, request, lambda: plan_models(numbers), state)


DELETE_MODELS = AdminAction("Delete", MAY_DELETE_MODELS, bool, explain_models, delete_models)
