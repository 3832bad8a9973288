"""Publish, activate, roll back: the only writer of ModelVersion and Activation."""

from __future__ import annotations

import hashlib

from django.contrib.auth.models import AnonymousUser, User
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db import transaction

from recognition.classifier import Classifier
from recognition.exceptions import NoEarlierModel
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

    `temperature` and `uncertain_below` are its calibration (recognition.calibration); `keras_content` is the same
    network as a Keras file, kept to be downloaded.

    The bytes are loaded and asked first, so that what cannot serve is never registered; the row is written last, so
    that a file torn by a crash belongs to no version.

    Raises ModelRejected (not a model of this contract), OSError (ENOSPC: no space left) and StorageUnavailable.
    """
    Classifier(content, version=0)
    digest = hashlib.sha256(content).hexdigest()
    existing = ModelVersion.objects.filter(sha256=digest).first()
    if existing:
        return existing
    version = ModelVersion(
        sha256=digest,
        size=len(content),
        test_accuracy=test_accuracy,
        temperature=temperature,
        uncertain_below=uncertain_below,
    )
    version.file.name = store(version.file.storage, f"{digest}.onnx", content)
    if keras_content is not None:
        version.keras_file.name = store(version.file.storage, f"{digest}.keras", keras_content)
    version.save()
    return version


def keep_keras_file(model: ModelVersion, content: bytes) -> None:
    """Add the Keras file to a version that was published without one. Raises OSError and StorageUnavailable."""
    model.keras_file.name = store(model.file.storage, f"{model.sha256}.keras", content)
    model.save(update_fields=["keras_file"])


def store(storage: Storage, name: str, content: bytes) -> str:
    """Write a file whole or not at all; the name it got. Raises OSError and StorageUnavailable."""
    storage.delete(name)  # what an earlier crash may have left half-written, in a folder
    try:
        return storage.save(name, ContentFile(content))
    except OSError:
        storage.delete(name)
        raise


def activate(model: ModelVersion, *, by: User | AnonymousUser | None = None) -> Activation:
    """Put a version into service, after loading it once more from where every web process will load it.

    Raises ModelRejected when its file is missing, torn or not the registered one: what serves goes on serving.
    """
    Classifier.load(model)
    with transaction.atomic():
        current = lock_current()
        if current and current.model_id == model.pk:
            return current
        return Activation.objects.create(model=model, by=account(by), previous=current)


def roll_back(*, by: User | AnonymousUser | None = None) -> Activation:
    """Return to the version that served before the present one.

    Raises NoEarlierModel when there is none, ModelRejected when its file can no longer be loaded.
    """
    with transaction.atomic():
        current = lock_current()
        if current is None or current.previous is None:
            raise NoEarlierModel
        back = current.previous
        Classifier.load(back.model)
        return Activation.objects.create(model=back.model, by=account(by), previous_id=back.previous_id, rollback=True)


def lock_current() -> Activation | None:
    """The activation in force; whoever else changes it waits for the end of our transaction.

    What is locked is a row that is always the same, so that those who wait do not wait for different ones.
    """
    ModelVersion.objects.select_for_update(no_key=True).order_by("pk").first()
    return Activation.current()


def account(user: User | AnonymousUser | None) -> User | None:
    """The user to record: nobody for an anonymous caller."""
    return user if isinstance(user, User) else None
