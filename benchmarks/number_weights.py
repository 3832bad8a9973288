"""Fit the weights by which segments of whole numbers are scored: ``python -m benchmarks.number_weights``.

Numbers of known digits are cut into segments. The weights make the true readings as likely as possible among all
readings, on average (maximum likelihood of a conditional random field, by gradient descent). Half of the numbers are
made of MNIST's training digits, half of drawn ones. Every fifth number takes no part, and shows how well the weights
do. Copy the printed WEIGHTS to recognition/imaging/numbers/score.py.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, inf, log

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks.accuracy import shipped_classifier
from benchmarks.numbers import Ink, Rng, choose_digits, on_page, on_white, place
from benchmarks.support.common import machine, say
from recognition.errors import RecognitionError
from recognition.imaging import Segment, find_number
from recognition.imaging.numbers.paths import Edge, add_logs, best_path
from recognition.imaging.numbers.score import WEIGHTS, features
from recognition.prediction.classifier import Classifier
from training.learner.handwriting.pen import by_hand
from training.learner.handwriting.shapes import SHAPES

# (kind, number of digits, count among 1,000 numbers)
NUMBERS = (
    *(("spaced", 1, 250), ("spaced", 3, 130), ("near", 3, 150), ("touching", 1, 80), ("touching", 2, 150)),
    *(("touching", 4, 200), ("overlapping", 2, 40)),
)
MIN_OVERLAP = 0.72  # share of a segment's ink in a digit, and of the digit's in it, that makes them the same
STEPS, LEARNING_RATE = 160, 0.08  # of Adam: each step takes all numbers; the rate is the first step's
MEAN_DECAY, SQUARE_DECAY = 0.9, 0.99  # of Adam: beta 1 and beta 2
WEIGHT_DECAY = 0.001  # the factor of an L2 penalty
HELD_OUT_EVERY = 5  # every fifth number is held out

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Lattice:
    """The segments of one number. Lists and rows have one element for each segment."""

    number: str  # the true one
    nodes: int
    ends: list[tuple[int, int]]  # its first and last node
    digits: list[int]  # the predicted one
    aspects: list[float]  # log(width / height)
    features: Floats  # [segments, weights]
    right: list[bool]  # whether it is one whole digit, predicted correctly

    def edges(self, weights: Floats, *, only_right: bool = False) -> list[Edge | None]:
        """Return each segment as an edge, or None if it is left out."""
        scores = (self.features @ weights).tolist()
        return [
            None if only_right and not right else Edge(first, last, score, digit)
            for (first, last), score, digit, right in zip(self.ends, scores, self.digits, self.right, strict=True)
        ]


def drawn_digits(length: int, rng: Rng) -> tuple[str, float, list[Ink]]:
    """Return a number, its height in pixels, and the ink of its digits, drawn with one pen."""
    labels, height = rng.integers(0, 10, length), float(rng.uniform(60, 160))
    brush = height * rng.uniform(0.06, 0.14)
    inks = []
    for label in labels:
        strokes = by_hand(SHAPES[int(label)](rng), rng)
        whole = np.concatenate(strokes)
        low, size = whole.min(axis=0), np.maximum(np.ptp(whole, axis=0), 1e-6)
        tall = (height - brush) * rng.uniform(0.9, 1.1)
        scale = min(tall / size[1], 1.2 * tall / size[0])
        width, rows = (int(side) for side in np.ceil(size * scale + brush))
        image = Image.new("L", (2 * width, 2 * rows))
        pen = ImageDraw.Draw(image)
        for stroke in strokes:
            points = [tuple(point) for point in ((stroke - low) * scale + brush / 2) * 2]
            pen.line(points, fill=255, width=max(round(2 * brush), 1), joint="curve")
            for x, y in points:
                pen.ellipse((x - brush, y - brush, x + brush, y + brush), fill=255)
        inks.append(np.asarray(image.resize((width, rows), Image.Resampling.LANCZOS), np.float32) / 255)
    return "".join(map(str, labels)), height, inks


def lattices(model: Classifier, count: int) -> Iterator[Lattice]:
    """Yield the lattices of about `count` numbers."""
    for kind, length, share in NUMBERS:
        for row in range(count * share // 1000):
            rng = np.random.default_rng((*kind.encode(), length, row, 1))
            number, height, digits = drawn_digits(length, rng) if row % 2 else choose_digits(length, rng, "train")
            margins = (height * rng.uniform(0.1, 0.8, 4)).astype(int).tolist()
            pages = on_page(place(digits, kind, height, rng), margins)
            try:
                yield lattice(model, number, pages)
            except RecognitionError as error:
                say(f"{number}, {kind}: {error}")


def lattice(model: Classifier, number: str, pages: list[Ink]) -> Lattice:
    """Return the lattice of a number. Each of its digits is on a page of its own. Raises RecognitionError."""
    image = on_white(np.max(pages, axis=0))
    drawing = find_number(image)
    rows = model.probabilities([segment.digit for segment in drawing.segments])
    digits = rows.argmax(axis=1).tolist()
    inks = [page > 0.5 for page in pages]
    right = [is_digit(segment, inks, number, digit) for segment, digit in zip(drawing.segments, digits, strict=True)]
    shapes = [segment.shape for segment in drawing.segments]
    aspects = [log(shape.width / shape.height) for shape in shapes]
    ends = [(segment.first, segment.last) for segment in drawing.segments]
    return Lattice(number, drawing.nodes, ends, digits, aspects, features(shapes, rows), right)


def is_digit(segment: Segment, inks: list[NDArray[np.bool_]], number: str, digit: int) -> bool:
    """Whether a segment is one whole digit of the number, predicted correctly."""
    height, width = inks[0].shape
    mask = np.asarray(segment.mask((width, height))) > 0
    mask &= np.any(inks, axis=0)
    for ink, label in zip(inks, number, strict=True):
        common = np.count_nonzero(mask & ink)
        if common > MIN_OVERLAP * max(np.count_nonzero(mask), np.count_nonzero(ink)):
            return int(label) == digit
    return False


def shares(edges: list[Edge | None], nodes: int) -> tuple[float, list[float]]:
    """Return the logarithm of the sum over all readings, and each segment's share of that sum (forward-backward).

    A segment that is None is in no reading. Without any reading the logarithm is -inf, and all shares 0.
    """
    order = sorted((edge, number) for number, edge in enumerate(edges) if edge)
    ahead, back = [0.0] + [-inf] * (nodes - 1), [-inf] * (nodes - 1) + [0.0]
    for edge, _ in order:
        ahead[edge.last] = add_logs(ahead[edge.last], ahead[edge.first] + edge.score)
    for edge, _ in reversed(order):
        back[edge.first] = add_logs(back[edge.first], back[edge.last] + edge.score)
    found = [0.0] * len(edges)
    if ahead[-1] > -inf:
        for edge, number in order:
            found[number] = exp(ahead[edge.first] + edge.score + back[edge.last] - ahead[-1])
    return ahead[-1], found


def fit(found: list[Lattice]) -> Floats:
    """Return the fitted weights, by Adam (Kingma and Ba, 2015) with a learning rate that falls to 0."""
    weights = np.array(list(WEIGHTS.values()))
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    readable = [one for one in found if shares(one.edges(weights, only_right=True), one.nodes)[0] > -inf]
    say(f"{len(readable)} of {len(found)} numbers can be read with these segments.")
    for step in range(1, STEPS + 1):
        gradient, loss = WEIGHT_DECAY * weights, 0.0
        for one in readable:
            total, among_all = shares(one.edges(weights), one.nodes)
            right, among_right = shares(one.edges(weights, only_right=True), one.nodes)
            gradient = gradient + one.features.T @ (np.array(among_all) - among_right) / len(readable)
            loss += (total - right) / len(readable)
        mean = MEAN_DECAY * mean + (1 - MEAN_DECAY) * gradient
        square = SQUARE_DECAY * square + (1 - SQUARE_DECAY) * gradient**2
        scaled = mean / (1 - MEAN_DECAY**step) / (np.sqrt(square / (1 - SQUARE_DECAY**step)) + 1e-8)
        weights = weights - LEARNING_RATE * (1 - step / (STEPS + 1)) * scaled
        if step % 40 == 0:
            say(f"step {step}: loss {loss:.4f}")
    return weights


def share_read(found: list[Lattice], weights: Floats) -> float:
    """Return the share of numbers whose likeliest reading is right."""
    right = []
    for one in found:
        edges = [edge for edge in one.edges(weights) if edge]
        right.append("".join(str(edges[k].digit) for k in best_path(edges, one.nodes)) == one.number)
    return float(np.mean(right))


def aspects_of_digits(found: list[Lattice]) -> list[list[float]]:
    """Return log(width / height) of the right segments of each digit, 0 to 9."""
    aspects: list[list[float]] = [[] for _ in range(10)]
    for one in found:
        for digit, aspect, right in zip(one.digits, one.aspects, one.right, strict=True):
            if right:
                aspects[digit].append(aspect)
    return aspects


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--numbers", type=int, default=3000, help="how many numbers to make")
    found = list(lattices(shipped_classifier(), parser.parse_args().numbers))
    learned = [one for row, one in enumerate(found) if row % HELD_OUT_EVERY]
    judged = found[::HELD_OUT_EVERY]
    before = np.array(list(WEIGHTS.values()))
    weights = fit(learned)
    aspects = aspects_of_digits(found)
    print(machine())
    shares_read = (f"{share_read(judged, one):.1%}" for one in (before, weights))
    print("Of the numbers that took no part, read with the weights before and now:", *shares_read)
    print("ASPECT =", tuple(round(float(np.median(one)), 2) for one in aspects))
    print("ASPECT_SPREAD =", tuple(round(float(np.std(one)), 2) for one in aspects))
    print("WEIGHTS = {")
    for name, weight in zip(WEIGHTS, weights, strict=True):
        print(f'    "{name}": {weight:.2f},')
    print("}")


if __name__ == "__main__":
    main()
