"""What people write on a run so that they find it again: a name, notes, tags, and which run is the baseline."""

import logging
from collections.abc import Mapping
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.db.models import Q

from training.models import RunTag, TrainingRun

logger = logging.getLogger(__name__)


def has_tag(name: str) -> Q:
    """Match runs with the tag, by a subquery: PostgreSQL plans a join for each of many tags for minutes."""
    return Q(pk__in=RunTag.objects.filter(name=name).values("run"))


def mentions(word: str) -> Q:
    """Match runs with the word in name, notes, tags, preset or the requester's name."""
    tagged = RunTag.objects.filter(name__icontains=word).values("run")
    fields = ("name", "notes", "preset", "requested_by__username")
    found = Q(pk__in=tagged)
    for field in fields:
        found |= Q(**{f"{field}__icontains": word})
    return found


def apply(run: TrainingRun, values: Mapping[str, Any]) -> None:
    """Write what `values` has of name, notes, tags and baseline. The tags replace the run's, the baseline the last one.

    Only these columns are written, as a worker may be writing the others.
    """
    columns = {"is_baseline" if name == "baseline" else name: value for name, value in values.items() if name != "tags"}
    with transaction.atomic():
        if columns.get("is_baseline"):
            # The row that all lock who choose a baseline: they then see each other's.
            TrainingRun.objects.select_for_update(no_key=True).only("pk").order_by("pk").first()
            TrainingRun.objects.filter(is_baseline=True).exclude(pk=run.pk).update(is_baseline=False)
        if columns:
            TrainingRun.objects.filter(pk=run.pk).update(**columns)
        if "tags" in values:
            run.tags.exclude(name__in=values["tags"]).delete()
            RunTag.objects.bulk_create([RunTag(run=run, name=name) for name in values["tags"]], ignore_conflicts=True)


def describe(run: TrainingRun, values: Mapping[str, Any], by: User | AnonymousUser) -> None:
    """Write what changes, and add it to the log, the account's if there is one."""
    before = {name: current(run, name) for name in values}
    changed = {name: value for name, value in values.items() if value != before[name]}
    if not changed:
        return
    with transaction.atomic():
        apply(run, changed)
        if isinstance(by, User):
            LogEntry.objects.log_actions(by.pk, [run], CHANGE, summarize(changed, before), single_object=True)
    logger.info("%s: %s changed by %s", run, ", ".join(changed), by if isinstance(by, User) else "a visitor")


def current(run: TrainingRun, name: str) -> Any:
    if name == "tags":
        return sorted(run.tags.values_list("name", flat=True))
    return run.is_baseline if name == "baseline" else getattr(run, name)


def summarize(changed: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """Return "Name “a”, before “b”. Tags x, y, before none." """
    sentences = []
    for name, value in changed.items():
        if name == "baseline":
            sentences.append("Chosen as the baseline." if value else "No longer the baseline.")
        elif name == "tags":
            after, earlier = (", ".join(tags) or "none" for tags in (value, before[name]))
            sentences.append(f"Tags {after}, before {earlier}.")
        else:
            sentences.append(f"{name.capitalize()} “{value}”, before “{before[name]}”.")
    return " ".join(sentences)
