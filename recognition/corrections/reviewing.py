"""Decide on corrections and undo decisions. Every change is in Django's log, with what it was before."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypedDict

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from recognition.models import Correction

CHUNK = 500  # rows in one statement: databases bound its parameters
State = Correction.State
LABEL_NAMES = dict(Correction.LABELS)


class Decision(NamedTuple):
    """What a reviewer decides of one correction."""

    state: str
    label: int


class Facts(TypedDict):
    """What a log entry keeps of a change, for undoing it."""

    before: Decision
    after: Decision
    undoes: str | None  # the time of the decision that this one took back


class Change(NamedTuple):
    pk: int
    before: Decision
    after: Decision


@dataclass
class Outcome:
    """The IDs of the corrections that changed as wanted, and of those rejected because of another one.

    A duplicate could not be relabelled, because another correction gives the same picture that label. One is superseded
    when another label of the same picture is accepted.
    """

    changed: list[int] = field(default_factory=list)
    duplicates: list[int] = field(default_factory=list)
    superseded: list[int] = field(default_factory=list)

    @property
    def everything(self) -> list[int]:
        return self.changed + self.duplicates + self.superseded


def decide(
    corrections: QuerySet[Correction], state: str, by: User | AnonymousUser | None = None, label: int | None = None
) -> int:
    """Set the state, and the label if one is given, of all `corrections`. Return how many changed as wanted."""
    return len(review(corrections, state, by, label).changed)


def review(
    corrections: QuerySet[Correction], state: str, by: User | AnonymousUser | None = None, label: int | None = None
) -> Outcome:
    """Set the state, and the label if one is given, of all `corrections`, in one transaction.

    Where another correction gives the same picture `label`, that one stays as it is and this one is rejected. A picture
    has one accepted label: accepting another rejects the accepted one, and of several the newest correction is kept.
    """
    rows = corrections.order_by().values_list("pk", "label")
    return carry_out({pk: Decision(state, old if label is None else label) for pk, old in rows}, by)


def undo(by: User) -> Outcome:
    """Take back the newest decision of `by` that is not undone. A correction that was changed since stays as it is."""
    entries = decisions(by)
    newest = entries.first()
    while newest and (undone := facts_of(newest)["undoes"]):
        newest = entries.filter(action_time__lt=datetime.fromisoformat(undone)).first()
    if newest is None:
        return Outcome()
    found = {int(e.object_id or 0): facts_of(e) for e in entries.filter(action_time=newest.action_time)}
    before = {pk: facts["before"] for pk, facts in found.items()}
    after = {pk: facts["after"] for pk, facts in found.items()}
    return carry_out(before, by, expected=after, undoes=newest.action_time)


def carry_out(
    wanted: Mapping[int, Decision],
    by: User | AnonymousUser | None,
    expected: Mapping[int, Decision] | None = None,
    undoes: datetime | None = None,
) -> Outcome:
    """Write and log what is wanted of each correction, by its ID; only where it is as `expected`, if that is given."""
    for last_try in (False, True):
        try:
            with transaction.atomic():
                return write(wanted, by, expected, undoes)
        except IntegrityError:  # a visitor sent the same picture with that label a moment ago
            if last_try:
                raise
    raise AssertionError


def write(
    wanted: Mapping[int, Decision],
    by: User | AnonymousUser | None,
    expected: Mapping[int, Decision] | None,
    undoes: datetime | None,
) -> Outcome:
    rows = [row for row in lock(wanted) if expected is None or expected[row[0]] == Decision(*row[2:])]
    taken = labels_of_pictures(sha256 for pk, sha256, _, label in rows if wanted[pk].label != label)
    outcome, changes = Outcome(), []
    for pk, sha256, state, label in rows:
        before, after = Decision(state, label), wanted[pk]
        if after == before:
            continue
        is_duplicate = after.label != label and (sha256, after.label) in taken
        taken.add((sha256, after.label))
        changes.append(Change(pk, before, Decision(State.REJECTED, label) if is_duplicate else after))
        (outcome.duplicates if is_duplicate else outcome.changed).append(pk)
    changes = supersede(changes, {pk: sha256 for pk, sha256, *_ in rows}, outcome)
    update(changes, by)
    log(changes, by, undoes, set(outcome.duplicates))
    return outcome


def supersede(changes: list[Change], pictures: Mapping[int, str], outcome: Outcome) -> list[Change]:
    """Return the changes and those that they cause, so that no picture has two accepted labels.

    Args:
        changes: In the order of the IDs.
        pictures: The SHA-256 of each picture, by the correction's ID.
        outcome: Gets the IDs of the superseded corrections.
    """
    winners = {pictures[pk]: pk for pk, _, after in changes if after.state == State.ACCEPTED}
    kept = set(winners.values())
    accepted = Correction.objects.filter(state=State.ACCEPTED).order_by("pk").values_list("pk", "label")
    found = [row for chunk in chunks(list(winners)) for row in accepted.filter(picture_sha256__in=chunk)]
    wanted = {pk: (before, after) for pk, before, after in changes}
    for pk, label in found:
        wanted.setdefault(pk, (Decision(State.ACCEPTED, label), Decision(State.ACCEPTED, label)))
    for pk, (before, after) in wanted.items():
        if after.state == State.ACCEPTED and pk not in kept:
            wanted[pk] = (before, Decision(State.REJECTED, after.label))
            outcome.superseded.append(pk)
    outcome.changed = sorted(set(outcome.changed) - set(outcome.superseded))
    return [Change(pk, before, after) for pk, (before, after) in wanted.items() if before != after]


def lock(pks: Iterable[int]) -> list[tuple[int, str, str, int]]:
    """Return (ID, SHA-256, state, label) of each correction, locked until the transaction ends."""
    locked = Correction.objects.select_for_update().order_by("pk")
    values = locked.values_list("pk", "picture_sha256", "state", "label")
    return [row for chunk in chunks(sorted(pks)) for row in values.filter(pk__in=chunk)]


def labels_of_pictures(sha256s: Iterable[str]) -> set[tuple[str, int]]:
    """Return (SHA-256, label) of every correction of these pictures."""
    values = Correction.objects.order_by().values_list("picture_sha256", "label")
    return {row for chunk in chunks(list(sha256s)) for row in values.filter(picture_sha256__in=chunk)}


def update(changes: list[Change], by: User | AnonymousUser | None) -> None:
    """Write the changes. A correction that is pending again has no decision."""
    alike = defaultdict(list)
    for pk, before, after in changes:
        alike[before, after].append(pk)
    now, account = timezone.now(), account_of(by)
    for (before, after), pks in alike.items():
        is_pending = after.state == State.PENDING
        decision = {"decided_by": None if is_pending else account, "decided_at": None if is_pending else now}
        for chunk in chunks(pks):
            unchanged = Correction.objects.filter(pk__in=chunk, state=before.state, label=before.label)
            unchanged.update(state=after.state, label=after.label, **decision)


def log(changes: list[Change], by: User | AnonymousUser | None, undoes: datetime | None, duplicates: set[int]) -> None:
    """Add an entry for each change; all of one decision have the same time."""
    account = account_of(by)
    if account is None or not changes:
        return
    content_type, now = ContentType.objects.get_for_model(Correction), timezone.now()
    entries = [
        LogEntry(
            action_time=now,
            user=account,
            content_type=content_type,
            object_id=str(change.pk),
            object_repr=f"correction {change.pk}",
            action_flag=CHANGE,
            change_message=log_message(change, undoes, change.pk in duplicates),
        )
        for change in changes
    ]
    LogEntry.objects.bulk_create(entries, batch_size=CHUNK)


def log_message(change: Change, undoes: datetime | None, is_duplicate: bool) -> str:
    """Return Django's JSON of a change, which the admin puts into words, with the facts that `undo` needs."""
    (_, before, after), fields = change, []
    if before.state != after.state:
        fields.append(f"state from {before.state} to {after.state}")
    if before.label != after.label:
        fields.append(f"label from {LABEL_NAMES[before.label]} to {LABEL_NAMES[after.label]}")
    if is_duplicate:
        fields.append("nothing else, because another correction gives the same picture the new label")
    facts: Facts = {"before": before, "after": after, "undoes": undoes.isoformat() if undoes else None}
    return json.dumps([{"changed": {"fields": fields}, **facts}])


def decisions(by: User) -> QuerySet[LogEntry]:
    """Return the log entries of one reviewer's decisions, newest first."""
    content_type = ContentType.objects.get_for_model(Correction)
    entries = LogEntry.objects.filter(user=by, content_type=content_type, action_flag=CHANGE)
    return entries.filter(change_message__contains='"before"').order_by("-action_time", "-pk")


def facts_of(entry: LogEntry) -> Facts:
    kept = json.loads(entry.change_message)[0]
    return {"before": Decision(*kept["before"]), "after": Decision(*kept["after"]), "undoes": kept["undoes"]}


def account_of(by: User | AnonymousUser | None) -> User | None:
    return by if isinstance(by, User) else None


def chunks(values: Sequence[int] | Sequence[str]) -> Iterator[Sequence[int] | Sequence[str]]:
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))
