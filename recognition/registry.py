"""Publish, activate, roll back: the only writer of ModelVersion and Activation."""

import hashlib

from django.contrib.auth.models import AnonymousUser, User
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db import transaction

from digits_site.web.errors import StateChanged
from recognition.classifier import Classifier
from recognition.errors import LessAccurate, NoEarlierModel
from recognition.models import Activation, ModelVersion


def publish(
    content: bytes,
    *,
    test_accuracy: float,
    temperature: float = 1.0,
    uncertain_below: float | None = None,
    keras_content: bytes | None = None,
) -> ModelVersion:
    """Store an ONNX file under its SHA-256 and register it; the same bytes twice are one version.

    The bytes are loaded and run first, so that an unusable model is never registered. The row is written last, so that
    a file torn by a crash belongs to no version. `keras_content` is the same network for download.

    Raises ModelRejected, OSError if no space is left, and StorageUnavailable.
    """
    Classifier(content, version=0)
    digest = hashlib.sha256(content).hexdigest()
    existing = ModelVersion.objects.filter(sha256=digest).first()
    if existing:
        return existing
    quality = {"test_accuracy": test_accuracy, "temperature": temperature, "uncertain_below": uncertain_below}
    version = ModelVersion(sha256=digest, size=len(content), **quality)
    version.file.name = store(version.file.storage, f"{digest}.onnx", content)
    if keras_content is not None:
        version.keras_file.name = store(version.file.storage, f"{digest}.keras", keras_content)
    version.save()
    return version


def store(storage: Storage, name: str, content: bytes) -> str:
    """Write a file completely or not at all, and return its name. Raises OSError and StorageUnavailable."""
    storage.delete(name)  # an earlier crash may have left it half-written
    try:
        return storage.save(name, ContentFile(content))
    except OSError:
        storage.delete(name)
        raise


def activate(
    model: ModelVersion,
    *,
    by: User | AnonymousUser | None = None,
    expected: int | None = None,
    refuse_less_accurate: bool = False,
) -> Activation:
    """Put a version into service, after loading it from where every web process will load it.

    `expected` is the ID of the activation that the caller saw in force, 0 for none; None skips the check.
    Raises ModelRejected, StateChanged if another activation is in force, and LessAccurate if asked to.
    """
    Classifier.load(model)
    with transaction.atomic():
        current = lock_current(expected)
        if current and current.model_id == model.pk:
            return current
        if refuse_less_accurate and current and current.model.test_accuracy > model.test_accuracy:
            raise LessAccurate(f"{current.model} is more accurate than {model}.")
        return Activation.objects.create(model=model, by=by if isinstance(by, User) else None, previous=current)


def roll_back(*, by: User | AnonymousUser | None = None, expected: int | None = None) -> Activation:
    """Return to the version that was in service before the current one. `expected` is that of `activate`.

    Raises NoEarlierModel if there is none, StateChanged, and ModelRejected if its file can no longer be loaded.
    """
    with transaction.atomic():
        current = lock_current(expected)
        if current is None or current.previous is None:
            raise NoEarlierModel
        back = current.previous
        Classifier.load(back.model)
        account = by if isinstance(by, User) else None
        return Activation.objects.create(model=back.model, by=account, previous_id=back.previous_id, rollback=True)


def lock_current(expected: int | None = None) -> Activation | None:
    """Return the activation in force. Other processes that want to change it wait for the end of this transaction.

    All lock the same row: if each locked the activation in force, two could lock different rows.
    Raises StateChanged if the activation's ID is not `expected`.
    """
    ModelVersion.objects.select_for_update(no_key=True).order_by("pk").first()
    current = Activation.current()
    if expected is not None and expected != (current.pk if current else 0):
        raise StateChanged
    return current
