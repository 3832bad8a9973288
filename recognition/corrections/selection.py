"""Choose the corrections of a training run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from recognition.models import Correction


class Entry(NamedTuple):
    """One correction of a selection, as it is stored. Label 10 is no digit."""

    id: int
    label: int
    held_out: bool


@dataclass(frozen=True)
class Selection:
    """Corrections, and their pictures of 784 bytes each in the same order.

    Attributes:
        sha256: SHA-256 over the sorted lines "SHA-256 of the picture, label".
    """

    entries: list[Entry]
    pictures: bytes
    sha256: str

    @property
    def held_out(self) -> int:
        """Return the number of corrections that judge models."""
        return sum(entry.held_out for entry in self.entries)

    @property
    def trained_on(self) -> int:
        return len(self.entries) - self.held_out


def select_accepted() -> Selection:
    """Return all accepted corrections, oldest first, from one query."""
    rows = Correction.objects.filter(state=Correction.State.ACCEPTED).order_by("pk")
    columns = rows.values_list("pk", "label", "held_out", "picture", "picture_sha256")
    return build((Entry(pk, label, held_out), picture, digest) for pk, label, held_out, picture, digest in columns)


def select_again(entries: Iterable[Sequence[int]]) -> Selection:
    """Return an earlier selection: its labels, whatever the corrections say now. Deleted ones are missing."""
    earlier = [Entry(pk, label, bool(held_out)) for pk, label, held_out in entries]
    rows = Correction.objects.only("picture", "picture_sha256").in_bulk([entry.id for entry in earlier])
    found = [(entry, rows[entry.id]) for entry in earlier if entry.id in rows]
    return build((entry, row.picture, row.picture_sha256) for entry, row in found)


def build(rows: Iterable[tuple[Entry, bytes | memoryview, str]]) -> Selection:
    """Return the selection of these corrections, their pictures, and the pictures' SHA-256."""
    entries, pictures, lines = [], bytearray(), []
    for entry, picture, digest in rows:
        entries.append(entry)
        pictures += picture
        lines.append(f"{digest} {entry.label}\n")
    return Selection(entries, bytes(pictures), hashlib.sha256("".join(sorted(lines)).encode()).hexdigest())
