"""What an explanation costs, and whether it is right: ``python -m benchmarks.explanations``.

Milliseconds over HTTP with and without `?explain=`, in turn; of CPU in process. The deletion test (Petsiuk, Das,
Saenko: RISE, BMVC 2018): the probability of the predicted digit after a share of its ink is deleted, the ink with the
most evidence first, or in random blots. How often a change was found, and its size. MNIST's test digits, the shipped
model.
"""

import argparse
import logging
import statistics
import tempfile
from pathlib import Path
from time import perf_counter, thread_time

import cv2
import numpy as np

from benchmarks.accuracy import shipped_classifier  # it sets Django up, which the next ones need
from benchmarks.support.common import ROOT, machine, table
from recognition.imaging import Grid
from recognition.prediction.classifier import Classifier
from recognition.prediction.explanation import Floats, Grids, centred_logit, explain, probabilities_of_variants
from tests.support.drawings import draw, encode
from tests.support.stack import running
from training.learner.dataset import as_stored

SHARES = (0.1, 0.2, 0.3)  # of the ink that is deleted
BLOT = 1.5  # pixels, standard deviation


def delete(digit: Grid, order: Floats, share: float) -> Grid:
    """Return a digit without a share of its ink, where `order` is highest."""
    pixels = np.argsort(np.where(digit > 0, -order, np.inf), axis=None)
    deleted = digit.copy()
    deleted.flat[pixels[np.cumsum(digit.flat[pixels]) <= share * digit.sum()]] = 0
    return deleted


def over_http(times: int) -> list[list[str]]:
    """Return the rows of requests without and with an explanation."""
    taken: dict[str, list[float]] = {"": [], "?explain=7": [], "?explain=1": []}
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), worker=False) as stack:
        logging.getLogger("httpx").setLevel(logging.WARNING)
        for turn in range(times):
            picture = encode(draw(7, 280, height=150 + turn))
            for query, all_taken in taken.items():
                began = perf_counter()
                stack.http.post(f"/api/drawing/{query}", content=picture, headers={"Content-Type": "image/png"})
                all_taken.append(1000 * (perf_counter() - began))
    return [
        [f"POST /api/drawing/{query}", f"{statistics.median(one):.1f}", f"{max(one):.1f}"]
        for query, one in taken.items()
    ]


def in_process(model: Classifier, digits: Grids) -> None:
    """Print the times, the deletion test and the changes."""
    random = np.random.default_rng(1)
    predictions = model.probabilities(digits)
    taken: dict[str, list[float]] = {"map": [], "map and change": []}
    left: dict[str, list[list[float]]] = {"most evidence first": [], "random blots": []}
    changes: dict[str, list[int]] = {"any other digit": [], "the second likeliest": [], "a random other one": []}
    for digit, probabilities in zip(digits, predictions, strict=True):
        second, best = (int(one) for one in np.argsort(probabilities)[-2:])
        began = thread_time()
        centred_logit(probabilities_of_variants(model, digit)[1], best)
        taken["map"].append(1000 * (thread_time() - began))
        other = int(random.choice([one for one in range(10) if one != best]))
        for sizes, target in zip(changes.values(), (best, second, other), strict=True):
            began = thread_time()
            explanation = explain(model, digit, target)
            taken["map and change"].append(1000 * (thread_time() - began))
            sizes.extend([explanation.change.pixels] if explanation.change else [])
            if target == best:
                blots = cv2.GaussianBlur(random.random(digit.shape), (0, 0), BLOT)
                for all_left, order in zip(left.values(), (explanation.evidence, blots), strict=True):
                    deleted = [delete(digit, order, share) for share in SHARES]
                    all_left.append(model.probabilities(deleted)[:, best].tolist())
    rows = [[name, f"{statistics.median(one):.1f}", f"{max(one):.1f}"] for name, one in taken.items()]
    print(table(["in process, CPU ms", "median", "most"], rows))
    rows = [[name, *(f"{mean:.1%}" for mean in np.mean(one, axis=0))] for name, one in left.items()]
    print(table(["probability left after deleting", *(f"{share:.0%}" for share in SHARES)], rows))
    rows = [[name, f"{len(one) / len(digits):.0%}", f"{statistics.median(one):.0f}"] for name, one in changes.items()]
    print(table(["change to", "found", "pixels, median"], rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--digits", type=int, default=200)
    parser.add_argument("--requests", type=int, default=40)
    options = parser.parse_args()
    print(f"{machine()}\n")
    print(table(["over HTTP, ms", "median", "most"], over_http(options.requests)))
    images, _ = as_stored(ROOT / "training" / "data" / "mnist", "t10k")
    digits = images[:: len(images) // options.digits].astype(np.float32) / np.float32(255)
    in_process(shipped_classifier(), digits[: options.digits])


if __name__ == "__main__":
    main()
