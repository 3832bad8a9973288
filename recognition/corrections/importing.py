"""Labelled pictures as corrections: of a folder, or of an export."""

import csv
import re
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, NamedTuple
from zipfile import BadZipFile

import numpy as np
from django.conf import settings

from digits_site.web.errors import PayloadTooLarge
from recognition.corrections.collecting import Levels, collect
from recognition.corrections.labels import NO_DIGIT_NAME, label_name, parse_label_text
from recognition.errors import InvalidLabel, RecognitionError
from recognition.imaging import Candidate, EncodedImage, encode_png, find_candidates
from recognition.models import NO_DIGIT, Correction
from recognition.prediction.classifier import Classifier
from recognition.prediction.digits import predict_candidates

LABEL_NAME = re.compile(f"[0-9]|{NO_DIGIT_NAME}", re.ASCII | re.IGNORECASE)
NO_LABEL = "Put the picture into a folder 0 to 9 or none, or begin its name with the label: 7_ada.png."


class UnreadableFile(RecognitionError):
    """The file does not exist, or may not be read."""

    code = "unreadable_file"
    message = "The file cannot be read."


class LabelledFile(NamedTuple):
    path: Path
    label: str | None  # as it was written; None if there is none
    levels: Levels | None = None  # of a picture that is prepared already


def files_in(folder: Path) -> list[LabelledFile]:
    """Return every file below a folder, in the order of the paths, except hidden ones.

    The label is the name of the nearest folder that is one, `folder` included; else it begins the file's name.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    shown = [path for path in paths if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    return [LabelledFile(path, label_in_path(folder.resolve().name / path.relative_to(folder))) for path in shown]


def label_in_path(path: Path) -> str | None:
    for name in reversed(path.parts[:-1]):
        if LABEL_NAME.fullmatch(name):
            return name
    match = re.match(rf"({LABEL_NAME.pattern})([_.-]|$)", path.name, LABEL_NAME.flags)
    return match[1] if match else None


def files_of_csv(folder: Path, table: Path) -> Iterator[LabelledFile]:
    """Yield the rows of a CSV file with the columns `file`, a path in the folder, and `label`.

    Raises OSError, and ValueError for another kind of file.
    """
    with table.open(encoding="utf-8-sig", newline="") as opened:
        reader = csv.DictReader(opened)
        if not {"file", "label"} <= set(reader.fieldnames or ()):
            raise ValueError("It needs the columns file and label.")
        for row in reader:
            yield LabelledFile(folder / (row["file"] or ""), row["label"])


def files_of_export(path: Path) -> list[LabelledFile]:
    """Return the pictures in the `corrections.npz` of an export. Raises OSError, and ValueError for other files."""
    with path.open("rb") as opened:
        try:
            arrays = np.load(opened, allow_pickle=False)
            images, labels = arrays["images"], arrays["labels"]
        except (EOFError, IndexError, KeyError, BadZipFile, zlib.error) as error:
            raise ValueError("It is no NPZ file with the arrays images and labels.") from error
    if images.dtype != np.uint8 or images.shape != (labels.size, 28, 28) or labels.ndim != 1:
        raise ValueError("Its images are not uint8 of 28x28, one for each label.")
    names = [label_name(label) if label <= NO_DIGIT else str(label) for label in labels.tolist()]
    return [
        LabelledFile(path.with_name(f"{path.name}[{row}]"), name, image)
        for row, (name, image) in enumerate(zip(names, images, strict=True))
    ]


def import_file(file: LabelledFile, model: Classifier, *, accepted: bool) -> bool:
    """Store a picture as a correction. Returns False if it exists already. Raises the ApiError that refuses it."""
    label = import_label(file.label)
    [prediction] = predict_candidates(model, [candidates_of(file)])
    _, created = collect(
        prediction.candidate.digit,
        label,
        prediction,
        model=model.version,
        source=Correction.Source.IMPORT,
        accepted=accepted,
    )
    return created


def candidates_of(file: LabelledFile) -> list[Candidate]:
    """Return what the network may see in a picture; of a prepared one, exactly that. Raises RecognitionError."""
    if file.levels is None:
        return find_candidates(EncodedImage(read(file.path)).decode())
    grid = file.levels.astype(np.float32) / np.float32(255)
    first, *_ = find_candidates(EncodedImage(encode_png(grid)).decode())
    return [replace(first, digit=grid, doubt="")]


def import_label(text: str | None) -> int:
    """Return the label of a name or of a cell: "0" to "9", "none" or "null". Raises InvalidLabel."""
    if text is None:
        raise InvalidLabel(NO_LABEL)
    text = text.strip().lower()
    return NO_DIGIT if text == NO_DIGIT_NAME else parse_label_text(text)


def read(path: Path) -> bytes:
    """Return a file's content. Raises UnreadableFile, and PayloadTooLarge over MAX_PICTURE_BYTES."""
    try:
        with path.open("rb") as opened:
            return read_stream(opened)
    except OSError as error:
        raise UnreadableFile(f"The file cannot be read: {error.strerror}.") from error


def read_stream(stream: IO[bytes]) -> bytes:
    """Return the rest of a stream. Raises PayloadTooLarge over MAX_PICTURE_BYTES."""
    limit = settings.MAX_PICTURE_BYTES
    content = stream.read(limit + 1)
    if len(content) > limit:
        raise PayloadTooLarge(limit)
    return content
