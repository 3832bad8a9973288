"""Corrections as files: MNIST's four IDX files, or an NPZ file with a CSV file."""

import csv
import gzip
import io
import struct
import zipfile
from typing import Any, Literal, get_args

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from recognition.corrections.collecting import stored_levels
from recognition.corrections.labels import label_name
from recognition.models import NO_DIGIT, Correction

Kind = Literal["idx", "npz"]
KINDS: tuple[Kind, ...] = get_args(Kind)
IMAGES_MAGIC, LABELS_MAGIC = 0x803, 0x801  # unsigned bytes in 3 dimensions, and in 1
COLUMNS = (
    *("id", "picture_sha256", "label", "predicted", "confidence", "uncertain", "model_id", "source", "state"),
    *("held_out", "created_at"),
)


def export_files(corrections: QuerySet[Correction], kind: Kind) -> dict[str, bytes]:
    """Return the content of each file by its name, corrections in the order of their IDs."""
    rows = list(corrections.order_by("pk"))
    return idx_files(rows) if kind == "idx" else npz_files(rows)


def export_zip(corrections: QuerySet[Correction], kind: Kind) -> bytes:
    """Return the files of `export_files` as one ZIP archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in export_files(corrections, kind).items():
            # With a fixed date, equal corrections make equal archives.
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def idx_files(rows: list[Correction]) -> dict[str, bytes]:
    """Return four gzip files with MNIST's names: `t10k` holds the held-out corrections, `train` the others.

    Corrections of no digit are left out, because MNIST has no label for them.
    """
    files: dict[str, bytes] = {}
    for part, is_held_out in (("train", False), ("t10k", True)):
        chosen = [row for row in rows if row.label != NO_DIGIT and row.held_out == is_held_out]
        images = struct.pack(">4I", IMAGES_MAGIC, len(chosen), 28, 28) + pictures(chosen).tobytes()
        labels = struct.pack(">2I", LABELS_MAGIC, len(chosen)) + bytes(row.label for row in chosen)
        files[f"{part}-images-idx3-ubyte.gz"] = gzip.compress(images, mtime=0)
        files[f"{part}-labels-idx1-ubyte.gz"] = gzip.compress(labels, mtime=0)
    return files


def npz_files(rows: list[Correction]) -> dict[str, bytes]:
    """Return `corrections.npz` (images uint8 [N, 28, 28], labels uint8 [N], 10 for no digit, held_out bool [N]) and
    `corrections.csv`, which has one row for each picture, in the same order. Accounts and senders are left out.
    """
    arrays = io.BytesIO()
    np.savez_compressed(
        arrays,
        images=pictures(rows),
        labels=np.array([row.label for row in rows], np.uint8),
        held_out=np.array([row.held_out for row in rows], bool),
    )
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(COLUMNS)
    writer.writerows([cell(row, name) for name in COLUMNS] for row in rows)
    return {"corrections.npz": arrays.getvalue(), "corrections.csv": table.getvalue().encode()}


def cell(row: Correction, name: str) -> Any:
    value = getattr(row, name)
    if name == "label":
        return label_name(value)
    return value.isoformat() if name == "created_at" else value


def pictures(rows: list[Correction]) -> NDArray[np.uint8]:
    """Return the pictures as uint8 [N, 28, 28], ink 255 on 0."""
    return np.array([stored_levels(row.picture) for row in rows], np.uint8).reshape(-1, 28, 28)
