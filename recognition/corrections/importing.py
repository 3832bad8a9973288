"""Labelled pictures of a folder as corrections."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from digits_site.web.errors import PayloadTooLarge
from recognition.classifier import Classifier
from recognition.corrections.collecting import collect
from recognition.corrections.labels import NO_DIGIT_NAME, parse_label_text
from recognition.errors import InvalidLabel, RecognitionError
from recognition.imaging import EncodedImage, find_candidates
from recognition.models import NO_DIGIT, Correction
from recognition.prediction import predict_candidates

LABEL_NAME = re.compile(f"[0-9]|{NO_DIGIT_NAME}", re.ASCII | re.IGNORECASE)
NO_LABEL = "Put the picture into a folder 0 to 9 or none, or begin its name with the label: 7_ada.png."


class UnreadableFile(RecognitionError):
    """The file does not exist, or may not be read."""

    code = "unreadable_file"
    message = "The file cannot be read."


class LabelledFile(NamedTuple):
    path: Path
    label: str | None  # as it was written; None if there is none


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


def import_file(file: LabelledFile, model: Classifier, *, accepted: bool) -> bool:
    """Store a file as a correction. Returns False if it exists already. Raises the ApiError that refuses it."""
    label = import_label(file.label)
    candidates = find_candidates(EncodedImage(read(file.path)).decode())
    [prediction] = predict_candidates(model, [candidates])
    _, created = collect(
        prediction.candidate.digit,
        label,
        prediction,
        model=model.version,
        source=Correction.Source.IMPORT,
        accepted=accepted,
    )
    return created


def import_label(text: str | None) -> int:
    """Return the label of a name or of a cell: "0" to "9", or "none", "null" or "". Raises InvalidLabel."""
    if text is None:
        raise InvalidLabel(NO_LABEL)
    text = text.strip().lower()
    return NO_DIGIT if text == NO_DIGIT_NAME else parse_label_text(text)


def read(path: Path) -> bytes:
    """Return a file's content. Raises UnreadableFile, and PayloadTooLarge over MAX_PICTURE_BYTES."""
    limit = settings.MAX_PICTURE_BYTES
    try:
        with path.open("rb") as opened:
            content = opened.read(limit + 1)
    except OSError as error:
        raise UnreadableFile(f"The file cannot be read: {error.strerror}.") from error
    if len(content) > limit:
        raise PayloadTooLarge(limit)
    return content
