"""How well the shipped model reads digits in their surroundings: ``python -m benchmarks.forms``."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.accuracy import shipped_classifier
from benchmarks.forms.kinds import KINDS, generate
from benchmarks.support.common import machine, say, table
from recognition.errors import BlankDrawing
from recognition.imaging import EncodedImage, find_candidates
from recognition.prediction.classifier import Classifier
from recognition.prediction.digits import predict_candidates
from tests.support.drawings import encode

TILE = 118  # pixels a side of a picture on a contact sheet
ACROSS = 12


class Answer(NamedTuple):
    kind: str
    label: int
    predicted: int | None  # None: refused
    uncertain: bool
    image: Image.Image

    @property
    def is_right(self) -> bool:
        return self.predicted == self.label


def encoded(image: Image.Image, number: int) -> bytes:
    """Return every other picture as a JPEG of a phone's or a scanner's quality, the others as PNG."""
    return encode(image, "PNG") if number % 2 else encode(image, "JPEG", quality=70 + number % 26)


def predict(model: Classifier, data: bytes) -> tuple[int | None, bool]:
    """Return (predicted digit, whether it is uncertain) as the API does."""
    try:
        candidates = find_candidates(EncodedImage(data).decode())
    except BlankDrawing:
        return None, True
    (prediction,) = predict_candidates(model, [candidates])
    return prediction.digit, bool(prediction.uncertain_reason)


def answers(model: Classifier, kind: str, each: int, seed: int) -> Iterator[Answer]:
    for number, (label, image) in enumerate(generate(kind, each, seed)):
        yield Answer(kind, label, *predict(model, encoded(image, number)), image)


def row(name: str, found: list[Answer]) -> list[str]:
    right = float(np.mean([answer.is_right for answer in found]))
    refused = sum(answer.predicted is None for answer in found)
    sure = sum(not answer.is_right and not answer.uncertain for answer in found)
    return [name, str(len(found)), f"{right:.1%}", str(sure), str(refused)]


def sheet(found: list[Answer]) -> Image.Image:
    """Return a contact sheet: each picture with its kind, its label and what was predicted."""
    shown = found[:240]
    image = Image.new("RGB", (ACROSS * TILE, max(-(-len(shown) // ACROSS), 1) * (TILE + 14)), (205, 205, 215))
    canvas = ImageDraw.Draw(image)
    for place, answer in enumerate(shown):
        x, y = place % ACROSS * TILE, place // ACROSS * (TILE + 14)
        small = answer.image.copy()
        small.thumbnail((TILE - 4, TILE - 4))
        image.paste(small, (x + 2, y + 2))
        verdict = "refused" if answer.predicted is None else f"{answer.predicted}{'?' if answer.uncertain else ''}"
        canvas.text((x + 3, y + TILE), f"{answer.label}: {verdict} {answer.kind}"[:22], fill=(0, 0, 0))
    return image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", default=",".join(KINDS), help="separated by commas")
    parser.add_argument("--each", type=int, default=100, help="pictures of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wrong", type=Path, help="write a contact sheet of the misread pictures (PNG)")
    parser.add_argument("--all", type=Path, help="write a contact sheet of all pictures (PNG)")
    options = parser.parse_args()
    model, rows, found = shipped_classifier(), [], []
    for kind in options.kinds.split(","):
        of_kind = list(answers(model, kind, options.each, options.seed))
        rows.append(row(kind, of_kind))
        found += of_kind
        say(" ".join(rows[-1]))
    print(machine())
    head = ["surroundings", "pictures", "right", "wrong and not uncertain", "refused"]
    print(table(head, [*rows, row("all", found)]))
    if options.wrong:
        sheet([answer for answer in found if not answer.is_right]).save(options.wrong)
    if options.all:
        sheet(found).save(options.all)


if __name__ == "__main__":
    main()
