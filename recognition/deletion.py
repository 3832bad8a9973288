"""Delete models that nothing needs: their rows at once, their files once the rows are gone.

What is in service, what a rollback returns to, and what a rule of another app names stays.
"""

import hashlib
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.models import AnonymousUser, User
from django.core.files.storage import storages
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.text import capfirst

from digits_site.web.errors import StateChanged
from digits_site.web.formatting import format_numbers
from recognition import registry
from recognition.errors import StorageUnavailable
from recognition.models import Activation, ModelVersion, ObsoleteFile

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """The IDs of what a deletion removes, and a sentence for each reason why some of the rest stays."""

    runs: tuple[int, ...] = ()
    models: tuple[int, ...] = ()
    kept: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """Return a short text that is equal for equal plans."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]

    def __str__(self) -> str:
        """Return what goes: "runs 3 to 5 and model 2", or "nothing"."""
        named = [("run", self.runs), ("model", self.models)]
        return " and ".join(name_all(kind, numbers) for kind, numbers in named if numbers) or "nothing"


def name_all(kind: str, numbers: Collection[int]) -> str:
    return f"{kind}{'s' if len(numbers) > 1 else ''} {format_numbers(numbers)}"


def explain_kept(kind: str, reasons: Mapping[int, str]) -> tuple[str, ...]:
    """Return "Models 2 and 4 stay (in service)." for each reason."""
    groups: dict[str, list[int]] = {}
    for number, reason in sorted(reasons.items()):
        groups.setdefault(reason, []).append(number)
    return tuple(
        capfirst(f"{name_all(kind, numbers)} {'stay' if len(numbers) > 1 else 'stays'} ({reason}).")
        for reason, numbers in groups.items()
    )


def reasons_in_registry(models: Collection[int], going_runs: Collection[int] = ()) -> dict[int, str]:
    """Return why models stay for the sake of the registry, by their IDs."""
    current = Activation.current()
    reasons: dict[int, str] = {}
    if current and current.previous:
        reasons[current.previous.model_id] = "needed to roll back"
    if current:
        reasons[current.model_id] = "in service"
    return {number: reason for number, reason in reasons.items() if number in models}


# Each takes the IDs of models, and those of runs that are about to be deleted, and returns why some of the models stay.
# Where several name a model, the first one's reason is given. Other apps add reasons in AppConfig.ready().
rules: list[Callable[[Collection[int], Collection[int]], Mapping[int, str]]] = [reasons_in_registry]


def reasons_to_keep(models: Collection[int], going_runs: Collection[int] = ()) -> dict[int, str]:
    found: dict[int, str] = {}
    for rule in reversed(rules):  # so that the first one writes last
        found |= rule(models, going_runs)
    return found


def plan_models(models: Collection[int]) -> Plan:
    """Return what a deletion of these models would do."""
    existing = set(ModelVersion.objects.filter(pk__in=models).values_list("pk", flat=True))
    reasons = reasons_to_keep(existing)
    return Plan(models=tuple(sorted(existing - reasons.keys())), kept=explain_kept("model", reasons))


def delete_planned(
    make_plan: Callable[[], Plan],
    state: str | None = None,
    by: User | AnonymousUser | None = None,
    all_runs: QuerySet[Any] | None = None,
) -> Plan:
    """Plan again, delete, and return the plan. Nothing is activated in between.

    Args:
        state: That of the plan that was confirmed; None accepts any.
        by: The account whose log names what was deleted.
        all_runs: The rows of runs, for plans that have some.

    Raises StateChanged if the new plan is another one, or if a new run needs one of the models.
    """
    try:
        with transaction.atomic():
            registry.lock_current()
            plan = make_plan()
            if state is not None and plan.state != state:
                raise StateChanged
            runs = [] if all_runs is None else [all_runs.filter(pk__in=plan.runs)]
            for rows in (*runs, ModelVersion.objects.filter(pk__in=plan.models)):
                if isinstance(by, User):
                    LogEntry.objects.log_actions(by.pk, list(rows.only("pk")), DELETION)
            for rows in runs:
                rows.delete()
            delete_models(plan.models)
    except IntegrityError as error:  # the row of a run that was requested a moment ago
        raise StateChanged from error
    logger.info("%s deleted %s", by or "a command", plan)
    return plan


def delete_models(models: Collection[int]) -> None:
    """Delete models and their activations, and their files after the commit.

    The caller has locked the registry (registry.lock_current) and planned since. A rollback steps over them.
    """
    relink_activations(models)
    going = ModelVersion.objects.filter(pk__in=models)
    files = [name for names in going.values_list("file", "keras_file") for name in names if name]
    ObsoleteFile.objects.bulk_create([ObsoleteFile(name=name) for name in files])
    Activation.objects.filter(model__in=models).update(previous=None)  # they protect each other
    Activation.objects.filter(model__in=models).delete()
    going.delete()
    transaction.on_commit(remove_files)


def relink_activations(models: Collection[int]) -> None:
    """Let activations of other models return to what came before these models."""
    rows = {pk: (model, previous) for pk, model, previous in Activation.objects.values_list("pk", "model", "previous")}
    for pk, (model, previous) in rows.items():
        if model in models or previous is None or rows[previous][0] not in models:
            continue
        target: int | None = previous
        while target is not None and (rows[target][0] in models or rows[target][0] == model):
            target = rows[target][1]
        Activation.objects.filter(pk=pk).update(previous=target)


def remove_files() -> int:
    """Remove the files of deleted models, also those that an earlier call left behind. Return the number removed."""
    removed = 0
    for file in ObsoleteFile.objects.order_by("pk"):
        try:
            if not ModelVersion.objects.filter(Q(file=file.name) | Q(keras_file=file.name)).exists():
                storages["models"].delete(file.name)
                removed += 1
        except (OSError, StorageUnavailable) as error:
            logger.warning("%s is not removed yet: %s", file.name, error)
        else:
            file.delete()
    return removed
