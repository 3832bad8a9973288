"""Corrections as rows: MNIST's training digits with the labels that people gave them."""

import hashlib
import json
import sys

import django
from django.conf import settings

if __name__ == "__main__":
    django.setup()

from recognition.models import NO_DIGIT, Correction
from training.learner import dataset


def add_corrections(count: int, first: int = 0, label: int | None = None, **values: object) -> list[Correction]:
    """Add accepted corrections of the training digits from `first` on; every third one is held out.

    All get `label`, or their own and in every tenth place "no digit".
    """
    images, labels = dataset.as_stored(settings.MNIST_DIR, "train")
    rows = []
    for i in range(first, first + count):
        picture = images[i].tobytes()
        own = NO_DIGIT if i % 10 == 9 else int(labels[i])
        rows.append(
            Correction(
                **{
                    "picture": picture,
                    "picture_sha256": hashlib.sha256(picture).hexdigest(),
                    "signature": f"{i:016x}",
                    "ink": float(images[i].mean() / 255),
                    "held_out": i % 3 == 0,
                    "label": own if label is None else label,
                    "source": Correction.Source.API,
                    "state": Correction.State.ACCEPTED,
                }
                | values
            )
        )
    return Correction.objects.bulk_create(rows)


def manifest(corrections: list[Correction]) -> str:
    """Return the SHA-256 by which a run names its corrections."""
    lines = sorted(f"{one.picture_sha256} {one.label}\n" for one in corrections)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


if __name__ == "__main__":  # python -m, in the environment of a stack
    values = json.loads(sys.argv[1])
    if values.pop("alone", False):
        Correction.objects.all().delete()
    added = add_corrections(**values)
    print(json.dumps({"ids": [one.pk for one in added], "sha256": manifest(added)}))
