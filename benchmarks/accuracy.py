"""How well the shipped model reads MNIST's test digits in every disguise: ``python -m benchmarks.accuracy``."""

import argparse
import json
import os
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digits_site.settings")

import django

django.setup()

from django.conf import settings  # noqa: E402

from benchmarks.support.common import machine, table  # noqa: E402
from recognition.errors import BlankDrawing  # noqa: E402
from recognition.imaging import EncodedImage, find_candidates  # noqa: E402
from recognition.prediction.calibration import expected_calibration_error  # noqa: E402
from recognition.prediction.classifier import Classifier  # noqa: E402
from recognition.prediction.digits import Prediction, predict_candidates  # noqa: E402
from tests.support.drawings import encode  # noqa: E402
from training import shipping  # noqa: E402
from training.learner import dataset  # noqa: E402

CANVAS = 280
Rng = np.random.Generator
Disguise = Callable[[Image.Image, Rng], Image.Image]


def placed(digit: Image.Image, rng: Rng, size: float | None = None) -> Image.Image:
    """White ink on a black canvas of 280x280: anywhere, 30 % to 100 % of its height."""
    side = round(CANVAS * (size or rng.uniform(0.3, 1.0)))
    canvas = Image.new("L", (CANVAS, CANVAS))
    place = rng.integers(0, CANVAS - side + 1, 2)
    canvas.paste(digit.resize((side, side), Image.Resampling.BICUBIC), (int(place[0]), int(place[1])))
    return canvas


def black_on_white(digit: Image.Image, rng: Rng) -> Image.Image:
    return placed(digit, rng).point(lambda level: 255 - level)


def on_transparent(digit: Image.Image, rng: Rng) -> Image.Image:
    alpha = placed(digit, rng)
    level = int(rng.choice([0, 255]))
    picture = Image.new("RGBA", alpha.size, (level, level, level, 0))
    picture.putalpha(alpha)
    return picture


def shrunk(digit: Image.Image, rng: Rng) -> Image.Image:
    """As the original's page sends it: the canvas scaled to 28x28 by the browser."""
    return placed(digit, rng, size=rng.uniform(0.7, 1.0)).resize((28, 28), Image.Resampling.BILINEAR)


def turned(degrees: float) -> Disguise:
    def turn(digit: Image.Image, rng: Rng) -> Image.Image:
        return placed(digit, rng).rotate(float(rng.choice([-degrees, degrees])), Image.Resampling.BICUBIC)

    return turn


def noisy(deviation: float) -> Disguise:
    def disturb(digit: Image.Image, rng: Rng) -> Image.Image:
        levels = np.asarray(placed(digit, rng), float) + rng.normal(0, deviation, (CANVAS, CANVAS))
        return Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))

    return disturb


def photographed(ruled: bool) -> Disguise:
    """Dark ink on paper as a phone sees it: light that falls off to one corner, sensor noise, JPEG; at times ruled."""

    def photograph(digit: Image.Image, rng: Rng) -> Image.Image:
        ink = np.asarray(placed(digit, rng, size=rng.uniform(0.35, 0.8)).resize((480, 480)), float) / 255
        paper = np.full((480, 480), 215.0)
        if ruled:
            paper[int(rng.integers(0, 40)) :: 40] -= rng.uniform(25, 45)
        down, across = np.meshgrid(*(np.linspace(0, 1, 480),) * 2, indexing="ij")
        fall = 1 - rng.uniform(0.1, 0.5) * (down + across) / 2
        levels = (paper * (1 - ink) + rng.uniform(30, 80) * ink) * fall + rng.normal(0, 5, paper.shape)
        picture = Image.fromarray(levels.clip(0, 255).astype(np.uint8)).convert("RGB")
        return Image.fromarray(EncodedImage(encode(picture, "JPEG", quality=70)).decode())

    return photograph


DISGUISES: dict[str, Disguise] = {
    "unaltered, 28x28": lambda digit, rng: digit,
    "anywhere, 30-100 %, white on black": placed,
    "anywhere, 30-100 %, black on white": black_on_white,
    "anywhere, 30-100 %, on transparent": on_transparent,
    "70-100 %, shrunk to 28x28": shrunk,
    **{f"anywhere, turned by {degrees} degrees": turned(degrees) for degrees in (5, 10, 15, 20)},
    **{f"anywhere, noise of {deviation} levels": noisy(deviation) for deviation in (10, 20, 40)},
    "photo: uneven light, noise, JPEG": photographed(ruled=False),
    "photo of ruled paper": photographed(ruled=True),
}


def predictions(model: Classifier, images: NDArray[np.float32], disguise: Disguise) -> Iterator[Prediction | None]:
    """Yield the product's answer for each disguised image, None for one that it refuses as blank."""
    for row, image in enumerate(images):
        digit = Image.fromarray(np.rint(image * 255).astype(np.uint8))
        try:
            candidates = find_candidates(disguise(digit, np.random.default_rng((7, row))))
        except BlankDrawing:
            yield None
        else:
            yield predict_candidates(model, [candidates])[0]


def shipped_classifier() -> Classifier:
    calibration = json.loads(shipping.RUN_FILE.read_text())["calibration"]
    return Classifier(shipping.MODEL_FILE.read_bytes(), version=0, **calibration)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--digits", type=int, default=10_000)
    count = parser.parse_args().digits
    digits = dataset.load(settings.MNIST_DIR, "t10k")[slice(count)]
    model = shipped_classifier()
    rows = []
    for name, disguise in DISGUISES.items():
        answers = list(predictions(model, digits.images[..., 0], disguise))
        probabilities = np.array([[0.1] * 10 if answer is None else answer.probabilities for answer in answers])
        right = np.mean(
            [answer is not None and answer.digit == label for answer, label in zip(answers, digits.labels, strict=True)]
        )
        error = expected_calibration_error(probabilities, digits.labels)
        uncertain = np.mean([answer is None or bool(answer.uncertain_reason) for answer in answers])
        rows.append([name, f"{right:.2%}", f"{error:.4f}", f"{uncertain:.2%}"])
    print(machine())
    print(table([f"{len(digits)} MNIST test digits", "accuracy", "calibration error", "uncertain"], rows))


if __name__ == "__main__":
    main()
