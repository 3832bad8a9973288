"""Publish, compare, activate, roll back: the only writer of ModelVersion, Comparison and Activation."""

import hashlib
from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import AnonymousUser, User
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db import transaction
from django.db.models.fields.files import FieldFile

from digits_site.web.errors import StateChanged
from digits_site.webhooks import publishing as webhooks
from recognition.comparison import objections, outcome
from recognition.errors import LessAccurate, ModelRejected, NoEarlierModel, NoFile, WorseThanChampion
from recognition.models import Activation, Comparison, ModelVersion, Origin
from recognition.prediction.classifier import Classifier

EXAMPLES = ("fixed_examples", "broken_examples")  # the keys of comparison.SetResult that have their own column


def publish(
    content: bytes,
    *,
    test_accuracy: float,
    temperature: float = 1.0,
    uncertain_below: float | None = None,
    keras_content: bytes | None = None,
    parent: ModelVersion | None = None,
    name: str = "",
    origin: Origin = Origin.RUN,
) -> ModelVersion:
    """Store an ONNX file and register it; the same bytes twice are one version.

    The bytes are loaded and run first, so that an unusable model is never registered. The row is written last, so that
    a file torn by a crash belongs to no version. No name is used twice: the file of a deleted version may still be
    about to be removed. `keras_content` is the same network for download and further training,
    `parent` the version that training began with.

    Raises ModelRejected, OSError if no space is left, and StorageUnavailable.
    """
    Classifier(content, version=0)
    digest = hashlib.sha256(content).hexdigest()
    existing = ModelVersion.objects.filter(sha256=digest).first()
    if existing:
        return existing
    quality = {"test_accuracy": test_accuracy, "temperature": temperature, "uncertain_below": uncertain_below}
    version = ModelVersion(sha256=digest, size=len(content), parent=parent, name=name, origin=origin, **quality)
    stem = f"{digest}-{token_hex(4)}"
    version.file.name = store(version.file.storage, f"{stem}.onnx", content)
    if keras_content is not None:
        version.keras_file.name = store(version.file.storage, f"{stem}.keras", keras_content)
    version.save()
    return version


def store(storage: Storage, name: str, content: bytes) -> str:
    """Write a file completely or not at all, and return its name. Raises OSError and StorageUnavailable."""
    try:
        return storage.save(name, ContentFile(content))
    except OSError:
        storage.delete(name)
        raise


def content_of(file: FieldFile) -> bytes:
    """Read a version's file. Raises NoFile and StorageUnavailable."""
    if not file:
        raise NoFile
    try:
        with file.open("rb") as opened:
            content: bytes = opened.read()
    except OSError as error:
        raise NoFile from error
    return content


def compare(champion: ModelVersion, challenger: ModelVersion, results: Sequence[Mapping[str, Any]]) -> None:
    """Store the comparison of two versions, a list of comparison.SetResult, in place of an earlier one."""
    counts = [{key: value for key, value in one.items() if key not in EXAMPLES} for one in results]
    examples = {one["name"]: {key: one[key] for key in EXAMPLES} for one in results}
    defaults = {"results": counts, "examples": examples}
    Comparison.objects.update_or_create(champion=champion, challenger=challenger, defaults=defaults)


def summarize(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison without its examples, as the API shows it."""
    return {
        "champion": comparison.champion_id,
        "challenger": comparison.challenger_id,
        "objections": objections(comparison.results),
        "sets": [one | {"outcome": outcome(one)} for one in comparison.results],
    }


def objections_to(model: ModelVersion) -> list[str]:
    """Return why the model must not replace the one in service; nothing if they were not compared."""
    champion = Activation.current_model_id()
    comparison = Comparison.objects.filter(champion=champion, challenger=model).defer("examples").first()
    return objections(comparison.results) if comparison else []


def activate(
    model: ModelVersion,
    *,
    by: User | AnonymousUser | None = None,
    via: str = "",
    expected: int | None = None,
    champion: ModelVersion | None = None,
    refuse_less_accurate: bool = False,
    reason: str = "",
) -> Activation:
    """Put a version into service, after loading it from where every web process will load it.

    The comparison with the model in service, if there is one, must allow it.

    Args:
        by: The account; a visitor or None is not kept.
        via: How the request came, a Via.
        expected: The ID of the activation that the caller saw in force, 0 for none; None skips the check.
        champion: The version that the caller expects in service; None skips the check.
        refuse_less_accurate: Whether the model must be as accurate as the one in service, if they were not compared.
        reason: Why an account activates it although the comparison is against it.

    Raises ModelRejected, StateChanged if another activation or model is in force, WorseThanChampion and LessAccurate.
    """
    Classifier.load(model)
    with transaction.atomic():
        current = lock_current(expected)
        if current and current.model_id == model.pk:
            return current
        if not ModelVersion.objects.filter(pk=model.pk).exists():
            raise ModelRejected(f"{model} was deleted.")
        if champion and (current is None or current.model_id != champion.pk):
            raise StateChanged
        account = by if isinstance(by, User) else None
        if current:
            check_quality(model, current.model, refuse_less_accurate, overruled=bool(account and reason))
        activation = Activation.objects.create(model=model, by=account, via=via, previous=current, reason=reason)
        announce(activation)
        return activation


def check_quality(model: ModelVersion, serving: ModelVersion, refuse_less_accurate: bool, overruled: bool) -> None:
    """Raise WorseThanChampion or LessAccurate if `model` must not replace the one in service."""
    comparison = Comparison.objects.filter(champion=serving, challenger=model).defer("examples").first()
    if comparison:
        found = objections(comparison.results)
        if found and not overruled:
            raise WorseThanChampion(" ".join([WorseThanChampion.message, *found]), objections=found)
    elif refuse_less_accurate and serving.test_accuracy > model.test_accuracy:
        raise LessAccurate(f"{serving} is more accurate than {model}.")


def roll_back(*, by: User | AnonymousUser | None = None, via: str = "", expected: int | None = None) -> Activation:
    """Return to the version that was in service before the current one. The arguments are those of `activate`.

    Raises NoEarlierModel if there is none, StateChanged, and ModelRejected if its file can no longer be loaded.
    """
    with transaction.atomic():
        current = lock_current(expected)
        if current is None or current.previous is None:
            raise NoEarlierModel
        back = current.previous
        Classifier.load(back.model)
        account = by if isinstance(by, User) else None
        activation = Activation.objects.create(
            model=back.model, by=account, via=via, previous_id=back.previous_id, rollback=True
        )
        announce(activation)
        return activation


def announce(activation: Activation) -> None:
    """Tell webhooks of the activation, and add it to the log of the account, if it has one."""
    data = {"id": activation.model_id, "test_accuracy": activation.model.test_accuracy, "via": activation.via}
    webhooks.publish("model.activated", {**data, "rollback": activation.rollback})
    if activation.by_id:
        action = "Rolled back to this model" if activation.rollback else "Put into service"
        message = f"{' '.join(filter(None, [action, activation.get_via_display()]))}. {activation.reason}".strip()
        LogEntry.objects.log_actions(activation.by_id, [activation.model], CHANGE, message, single_object=True)


def lock_current(expected: int | None = None) -> Activation | None:
    """Return the activation in force. Other processes that want to change it wait for the end of this transaction.

    All lock the same row: if each locked the activation in force, two could lock different rows.
    Raises StateChanged if the activation's ID is not `expected`.
    """
    first = ModelVersion.objects.select_for_update(no_key=True).order_by("pk")
    while first.first() is None and ModelVersion.objects.exists():
        pass  # the row was deleted while this process waited for it: lock the one that is the first now
    current = Activation.current()
    if expected is not None and expected != (current.pk if current else 0):
        raise StateChanged
    return current
