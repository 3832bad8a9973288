"""How well the shipped model reads whole numbers, made of MNIST's test digits: ``python -m benchmarks.numbers``.

The digits stand on one line, ink on white, and are written with pens of about the same width. Kinds differ in the gap
between neighbours. `--sheet FILE.png` shows the misread numbers.
"""

import argparse
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from django.conf import settings
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks.accuracy import shipped_classifier
from benchmarks.support.common import machine, say, table
from recognition.errors import RecognitionError
from recognition.imaging import find_number
from recognition.prediction.classifier import Classifier
from recognition.prediction.numbers import NumberPrediction, predict_numbers
from training.learner import dataset

Rng = np.random.Generator
Ink = NDArray[np.float32]  # 1.0 on 0.0
Placed = tuple[int, int, Ink]  # x and y of the left top corner

# The gap between the boxes of neighbours, in heights of the digits. Below 0 the boxes overlap.
GAPS = {"spaced": (0.20, 0.45), "near": (0.03, 0.12), "touching": (-0.10, 0.00), "overlapping": (-0.25, -0.10)}
MOST_OVERLAP = 0.5  # of the narrower neighbour's width: else a 1 lies inside the other digit
LENGTHS = (1, 2, 3, 5, 8)  # digits
TIMED_LENGTHS = (1, 5, 10, 20)  # digits
TIMED_EACH = 40  # pictures of each length
MIN_INK = 0.4  # the level of an MNIST pixel from which it is ink
SIMILAR_PENS = 1500  # test digits among which a number's digits are chosen
SHEET_TILE, SHEET_COLUMNS, SHEET_MOST = (260, 100), 6, 300  # tile: width and height in pixels; most: tiles


@dataclass(frozen=True)
class Answer:
    """What the product answered for one picture."""

    kind: str
    truth: str
    image: Image.Image
    prediction: NumberPrediction | None  # None for a picture that was refused

    @property
    def number(self) -> str:
        return self.prediction.number if self.prediction else ""

    @property
    def is_uncertain(self) -> bool:
        return self.prediction is None or bool(self.prediction.uncertain_reason)


@cache
def digits_by_pen(name: str = "t10k") -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return MNIST's test or training digits as [N, 28, 28] and their labels, from the thinnest pen to the widest."""
    digits = dataset.load(settings.MNIST_DIR, name)
    images = digits.images[..., 0]
    order = np.argsort([pen_width(image) for image in images], kind="stable")
    return images[order], digits.labels[order]


def pen_width(digit: Ink) -> float:
    """Return about the width of the strokes in pixels: twice the area by the length of the outline."""
    ink = (digit > MIN_INK).astype(np.uint8)
    outlines, _ = cv2.findContours(ink, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return 2 * float(ink.sum()) / max(1.0, sum(cv2.arcLength(outline, closed=True) for outline in outlines))


def enlarge(digit: Ink, height: float) -> Ink:
    """Return the digit as ink with an edge of one or two pixels, cropped, `height` pixels high (less if it is wide)."""
    rows, columns = np.nonzero(digit > MIN_INK)
    scale = min(height / (np.ptp(rows) + 1), 1.2 * height / (np.ptp(columns) + 1))
    side = round(digit.shape[0] * scale)
    large = np.asarray(Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC))
    smooth = cv2.GaussianBlur(large, (0, 0), 0.5 * scale)  # else the small pixels show as waves of the outline
    ink = np.clip((smooth - MIN_INK) * scale + 0.5, 0, 1).astype(np.float32)
    rows, columns = np.nonzero(ink > 0.5)
    return ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def draw_number(length: int, kind: str, rng: Rng) -> tuple[str, Image.Image]:
    """Return a number and its picture (mode L): 60 to 160 pixels high, with margins of 0.1 to 0.8 heights."""
    number, height, digits = choose_digits(length, rng)
    return number, compose(place(digits, kind, height, rng), height, rng)


def choose_digits(length: int, rng: Rng, name: str = "t10k") -> tuple[str, float, list[Ink]]:
    """Return a number, its height in pixels, and the ink of its digits, written with similar pens."""
    images, labels = digits_by_pen(name)
    first = int(rng.integers(len(labels) - SIMILAR_PENS))
    chosen = rng.integers(first, first + SIMILAR_PENS, length)
    height = float(rng.uniform(60, 160))
    inks = [enlarge(image, height * rng.uniform(0.9, 1.1)) for image in images[chosen]]
    return "".join(map(str, labels[chosen])), height, inks


def place(digits: list[Ink], kind: str, height: float, rng: Rng) -> list[Placed]:
    """Return the digits beside each other on about one line, with the gaps of a kind; `height` is in pixels."""
    placed, right, previous = [], 0.0, 0
    for ink in digits:
        gap = max(height * rng.uniform(*GAPS[kind]), -MOST_OVERLAP * min(previous, ink.shape[1]))
        top = -ink.shape[0] + height * rng.uniform(-0.05, 0.05)
        placed.append((round(right + gap), round(top), ink))
        right, previous = right + gap + ink.shape[1], ink.shape[1]
    return placed


def compose(placed: list[Placed], height: float, rng: Rng) -> Image.Image:
    """Return the digits as black ink on white."""
    return on_white(np.max(on_page(placed, (height * rng.uniform(0.1, 0.8, 4)).astype(int).tolist()), axis=0))


def on_white(ink: Ink) -> Image.Image:
    """Return ink as a picture (mode L), black on white."""
    return Image.fromarray(np.rint(255 * (1 - ink)).astype(np.uint8))


def on_page(placed: list[Placed], margins: list[int]) -> list[Ink]:
    """Return a page for each digit, with the margins left, top, right and bottom in pixels around all of them."""
    left, top, right, bottom = margins
    x0, y0 = min(x for x, _, _ in placed) - left, min(y for _, y, _ in placed) - top
    width = max(x + ink.shape[1] for x, _, ink in placed) - x0 + right
    height = max(y + ink.shape[0] for _, y, ink in placed) - y0 + bottom
    pages = []
    for x, y, ink in placed:
        page = np.zeros((height, width), np.float32)
        page[y - y0 : y - y0 + ink.shape[0], x - x0 : x - x0 + ink.shape[1]] = ink
        pages.append(page)
    return pages


def drawn(kind: str, length: int, count: int) -> Iterable[tuple[str, Image.Image]]:
    """Yield `count` numbers with their pictures, the same in every run."""
    return (draw_number(length, kind, np.random.default_rng((*kind.encode(), length, row))) for row in range(count))


def predict(model: Classifier, image: Image.Image) -> NumberPrediction | None:
    """Return the prediction for a picture, or None if it is refused."""
    try:
        return predict_numbers(model, [find_number(image)])[0]
    except RecognitionError:
        return None


def score(length: int, answers: list[Answer]) -> list[str]:
    """Return the row of one kind and length: four shares of its answers, in per cent."""
    right = [answer.number == answer.truth for answer in answers]
    counted = [len(answer.number) == length for answer in answers]
    uncertain = [answer.is_uncertain for answer in answers]
    sure_and_wrong = [not (good or unsure) for good, unsure in zip(right, uncertain, strict=True)]
    columns = (right, counted, uncertain, sure_and_wrong)
    return [answers[0].kind, str(length), *(f"{np.mean(column):.1%}" for column in columns)]


def milliseconds(model: Classifier, length: int) -> list[str]:
    """Return a row: digits, the median number of segments, and median CPU milliseconds of both steps and in all."""
    found, predicted, segments = [], [], []
    for _, image in drawn("near", length, TIMED_EACH):
        began = time.process_time()
        try:
            drawing = find_number(image)
        except RecognitionError:
            continue
        middle = time.process_time()
        predict_numbers(model, [drawing])
        predicted.append(1000 * (time.process_time() - middle))
        found.append(1000 * (middle - began))
        segments.append(len(drawing.segments))
    if not found:
        return [str(length), *["–"] * 4]
    both = [sum(times) for times in zip(found, predicted, strict=True)]
    times = (f"{statistics.median(values):.1f}" for values in (found, predicted, both))
    return [str(length), f"{statistics.median(segments):.0f}", *times]


def draw_sheet(misread: list[Answer]) -> Image.Image:
    """Draw a contact sheet of the misread numbers with the truth and the answer, evenly thinned if they are many."""
    shown = misread[:: -(-len(misread) // SHEET_MOST) or 1]
    width, height = SHEET_TILE
    sheet = Image.new("L", (SHEET_COLUMNS * width, -(-len(shown) // SHEET_COLUMNS) * height or height), 220)
    pen = ImageDraw.Draw(sheet)
    for place, answer in enumerate(shown):
        x, y = place % SHEET_COLUMNS * width, place // SHEET_COLUMNS * height
        image = answer.image.copy()
        image.thumbnail((width - 8, height - 18))
        sheet.paste(image, (x + 2, y + 2))
        sure = "uncertain" if answer.is_uncertain else "SURE"
        pen.text((x + 4, y + height - 14), f"{answer.truth} read {answer.number or 'refused'}, {sure}", fill=0)
    return sheet


def words(text: str) -> list[str]:
    """Return the parts of an option that commas separate."""
    return text.split(",")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=200, help="pictures of each kind and length")
    parser.add_argument("--kinds", type=words, default=list(GAPS), help="separated by commas")
    parser.add_argument("--lengths", type=words, default=list(LENGTHS), help="separated by commas")
    parser.add_argument("--sheet", type=Path, help="write the misread numbers to this PNG")
    options = parser.parse_args()
    model, rows, misread = shipped_classifier(), [], []
    for kind in options.kinds:
        for length in map(int, options.lengths):
            pictures = drawn(kind, length, options.each)
            answers = [Answer(kind, truth, image, predict(model, image)) for truth, image in pictures]
            rows.append(score(length, answers))
            misread += [answer for answer in answers if answer.number != answer.truth]
            say(" ".join(rows[-1]))
    print(machine())
    head = ["numbers", "digits", "numbers right", "digits counted right", "uncertain or refused"]
    print(table([*head, "wrong and not uncertain"], rows))
    times = [milliseconds(model, length) for length in TIMED_LENGTHS]
    print(table(["digits", "segments", "find_number, CPU ms", "predict_numbers, CPU ms", "both"], times))
    if options.sheet:
        draw_sheet(misread).save(options.sheet)


if __name__ == "__main__":
    main()
