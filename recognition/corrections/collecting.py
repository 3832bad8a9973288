"""Store a correction: its picture, its label, and what the model had predicted."""

import hashlib
from contextlib import suppress
from typing import Any

import numpy as np
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from numpy.typing import NDArray

from digits_site.webhooks.publishing import publish
from recognition import metrics
from recognition.corrections.reviewing import review
from recognition.imaging import Grid
from recognition.models import NO_DIGIT, Correction
from recognition.prediction.digits import Prediction

Levels = NDArray[np.uint8]
HELD_OUT_ONE_IN = 3
RACES = 5  # lost in a row, until a correction is refused
SENDER_LENGTH = 32  # hexadecimal digits of the keyed hash


def to_levels(grid: Grid) -> Levels:
    """Return a picture of 0 to 1 as uint8 levels of the same shape."""
    return np.rint(np.clip(grid, 0.0, 1.0) * 255).astype(np.uint8)


def stored_levels(picture: bytes | memoryview) -> Levels:
    """Return a stored picture as uint8 (28, 28). PostgreSQL returns its bytes as a memoryview."""
    return np.frombuffer(picture, np.uint8).reshape(28, 28)


def is_held_out(sha256: str) -> bool:
    """Return whether the picture of this SHA-256, in hexadecimal, judges models and is never trained on."""
    return int(sha256[:8], 16) % HELD_OUT_ONE_IN == 0


def average_hash(levels: Levels) -> str:
    """Return a picture's 64-bit average hash in hexadecimal; nearly equal pictures have the same one.

    A bit says whether one of 8x8 blocks, in the centre 24x24 of uint8 (28, 28), is above the mean of the blocks.
    """
    blocks = levels[2:26, 2:26].reshape(8, 3, 8, 3).mean(axis=(1, 3))
    return np.packbits(blocks > blocks.mean()).tobytes().hex()


def hash_sender(address: str) -> str:
    """Return a keyed hash of a client's address: without SECRET_KEY, nobody can compute it from the address."""
    return salted_hmac("recognition.corrections.sender", address, algorithm="sha256").hexdigest()[:SENDER_LENGTH]


def collect(
    grid: Grid,
    label: int,
    prediction: Prediction | None,
    *,
    model: int | None = None,
    source: Correction.Source,
    account: Any = None,
    sender: str = "",
    accepted: bool,
    decided_by: Any = None,
) -> tuple[Correction, bool]:
    """Store a correction unless the same picture has the same label already.

    An accepted one supersedes the picture's accepted correction with another label, if any. A superseded one that is
    sent again is accepted again.

    Args:
        grid: The picture that the network saw, float32 (28, 28), ink 1.0 on 0.0.
        label: 0 to 9, or NO_DIGIT.
        prediction: What the model with the ID `model` predicted.
        account: The sender's user, if any.
        sender: The hash of the sender's address.
        accepted: Whether it needs no review.
        decided_by: The reviewer, if the sender is one.

    Returns:
        The correction, and whether it is new. Of two equal requests at once, one stores it.
    """
    levels = to_levels(grid)
    picture = levels.tobytes()
    sha256 = hashlib.sha256(picture).hexdigest()
    values: dict[str, Any] = {
        "picture": picture,
        "signature": average_hash(levels),
        "ink": float(levels.mean()) / 255,
        "held_out": is_held_out(sha256),
        "source": source,
        "account": account,
        "sender": sender,
        "state": Correction.State.ACCEPTED if accepted else Correction.State.PENDING,
        "decided_by": decided_by,
        "decided_at": timezone.now() if decided_by else None,
    }
    if prediction:
        values |= {
            "predicted": prediction.digit,
            "confidence": prediction.confidence,
            "uncertain": bool(prediction.uncertain_reason),
            "model_id": model,
        }
    with transaction.atomic():
        correction, created = get_or_create(sha256, label, values)
        if accepted:
            supersede_others(correction, created, decided_by)
        if created:
            publish("correction.created", webhook_data(correction))
    metrics.corrections.labels(source, correction.state if created else "repeated").inc()
    return correction, created


def webhook_data(correction: Correction) -> dict[str, Any]:
    """Return what webhooks tell of a correction: never its picture."""
    label = None if correction.label == NO_DIGIT else correction.label
    names = ("state", "predicted", "source")
    return {
        "id": correction.pk,
        "label": label,
        **{n: getattr(correction, n) for n in names},
        "model": correction.model_id,
    }


def supersede_others(correction: Correction, created: bool, by: Any) -> None:
    """Reject the picture's other accepted label. Accept one that no reviewer rejected: it was superseded."""
    if created:
        others = Correction.objects.filter(picture_sha256=correction.picture_sha256, state=Correction.State.ACCEPTED)
        review(others.exclude(pk=correction.pk), Correction.State.REJECTED, by)
    elif correction.state == Correction.State.REJECTED and correction.decided_by_id is None:
        review(Correction.objects.filter(pk=correction.pk), Correction.State.ACCEPTED, by)
        correction.refresh_from_db()


def get_or_create(sha256: str, label: int, values: dict[str, Any]) -> tuple[Correction, bool]:
    """Return the correction of this picture and label, and whether it is new."""
    for _ in range(RACES):
        with suppress(IntegrityError):  # an equal correction was sent and taken back meanwhile
            return Correction.objects.get_or_create(picture_sha256=sha256, label=label, defaults=values)
    return Correction.objects.get_or_create(picture_sha256=sha256, label=label, defaults=values)
