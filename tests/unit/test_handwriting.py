"""The preset `handwriting`: the pictures it makes, its calibrated confidence, and that it says when it is not sure."""

from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from django.conf import settings
from django.test import Client
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from recognition.prediction import calibration
from tests.support.children import spawned
from tests.support.drawings import data_url, draw, encode
from tests.support.shipped import HISTORY
from tests.support.stack import PATIENCE_SECONDS, Stack, eventually
from training.learner import dataset, epochs
from training.learner.config import Config
from training.learner.handwriting import non_digits
from training.learner.presets import PRESETS


def config(folder: Path, **values: object) -> Config:
    given = {"epochs": 2, "batch_size": 64, "learning_rate": 0.001, "samples": 600, "seed": 4} | values
    made = Config(preset="handwriting", folder=folder, mnist=settings.MNIST_DIR, **given)
    made.attempt_folder.mkdir(parents=True, exist_ok=True)
    return made


def test_pictures_depend_on_seed_and_number_alone_and_are_drawn_once(tmp_path: Path) -> None:
    """So that a resumed run sees the pictures that an unbroken one would."""
    shares: list[Any] = []
    first, labels = (builder := epochs.EpochBuilder(config(tmp_path), shares.append)).build(1)
    assert shares == sorted(shares)
    assert len(shares) >= 10, "progress is told while it draws"
    assert shares[-1] == 1
    shares.clear()
    again = epochs.EpochBuilder(config(tmp_path, attempt=2), shares.append)
    second = again.build(2)[0]
    assert shares == [], "a second attempt does not draw again"
    same, same_labels = again.build(1)
    assert np.array_equal(first, same)
    assert np.array_equal(labels, same_labels)
    assert np.array_equal(second, builder.build(2)[0]), "an attempt that begins with the second epoch"
    assert not np.array_equal(first, second)
    elsewhere = epochs.EpochBuilder(config(tmp_path / "elsewhere")).build(1)[0]
    assert np.array_equal(first, elsewhere)
    assert not np.array_equal(first, epochs.EpochBuilder(config(tmp_path / "another", seed=5)).build(1)[0])


def test_an_epoch_holds_every_digit_and_a_share_of_drawings_and_of_no_digits(tmp_path: Path) -> None:
    builder = epochs.EpochBuilder(config(tmp_path, epochs=8))
    pictures, targets = builder.build(1)
    preset, share = PRESETS["handwriting"], 600 / 60_000
    assert (targets.max(axis=1) < 0.5).sum() == round(preset.non_digits * share)
    assert len(targets) == 600 + round(preset.synthetic * share) + round(preset.non_digits * share)
    leaning = np.isclose(targets.max(axis=1), dataset.LEANING)
    assert 1 <= leaning.sum() < 0.1 * preset.non_digits * share, "several of one digit"
    assert np.allclose(targets.sum(axis=1), 1)
    assert pictures.shape == (len(targets), 28, 28)
    assert 0.05 < pictures.mean() / 255 < 0.3, "ink on paper, not noise"

    def sharpness(number: int) -> float:
        """Of each digit's mean picture: the less the pictures vary, the clearer it is."""
        pictures, targets = builder.build(number)
        return float(np.mean([(pictures[targets[:, digit] == 1] / 255).mean(axis=0).var() for digit in range(10)]))

    assert min(map(sharpness, (7, 8))) > max(map(sharpness, (1, 6))), "the last epochs change digits less"


def test_each_kind_of_no_digit_varies_and_fills_its_field() -> None:
    for number, (kind, _) in enumerate(non_digits.KINDS):
        pictures = np.stack([non_digits.scale(kind(np.random.default_rng((number, row)))) for row in range(12)])
        assert pictures.shape == (12, 28, 28)
        assert len({picture.tobytes() for picture in pictures}) == 12
        inked = pictures.max(axis=0) > 0.5
        assert max(np.ptp(np.flatnonzero(inked.any(axis=axis))) for axis in (0, 1)) >= 17, f"kind {number} is small"
        assert 0.02 < pictures.mean() < 0.5, f"kind {number}"


def test_the_held_back_digits_are_never_trained_on(tmp_path: Path) -> None:
    kept, held = dataset.load_parts(config(tmp_path, samples=60_000))
    assert (len(kept), len(held)) == (57_500, 2_500)
    seen = {image.tobytes() for image in kept.images}
    assert sum(image.tobytes() in seen for image in held.images) == 0
    assert len(dataset.load_parts(Config("original", 1, 1, 1.0, 1, 1, Path(), settings.MNIST_DIR))[1]) == 0


def answers(count: int, sharpness: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Probabilities of a classifier whose labels are drawn from its own true odds, sharpened by a factor."""
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 2, (count, 10))
    odds = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (odds.cumsum(axis=1) > rng.random((count, 1))).argmax(axis=1)
    sharp = np.exp(logits * sharpness)
    return sharp / sharp.sum(axis=1, keepdims=True), labels


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 2.5])
def test_the_temperature_corrects_a_wrong_confidence(sharpness: float) -> None:
    probabilities, labels = answers(5_000, sharpness)
    temperature = calibration.fit_temperature(probabilities, labels)
    assert temperature == pytest.approx(sharpness, rel=0.1)
    calibrated = calibration.apply_temperature(probabilities, temperature)
    assert calibration.expected_calibration_error(calibrated, labels) < 0.025
    assert calibrated.sum(axis=1) == pytest.approx(1)
    assert (calibrated.argmax(axis=1) == probabilities.argmax(axis=1)).all(), "the answer stays the same"


def test_the_calibration_error_is_the_distance_between_confidence_and_accuracy() -> None:
    sure = np.full((100, 10), 0.2 / 9)
    sure[:, 3] = 0.8
    labels = np.array([3] * 50 + [4] * 50)
    assert calibration.expected_calibration_error(sure, labels) == pytest.approx(0.3)


def scribble(seed: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    image = Image.new("L", (280, 280), 255)
    knots = [tuple(point) for point in rng.uniform(40, 240, (int(rng.integers(7, 20)), 2))]
    ImageDraw.Draw(image).line(knots, fill=0, width=int(rng.integers(8, 20)), joint="curve")
    return image


def ask(client: Client, image: Image.Image) -> dict[str, object]:
    body = {"drawing": data_url(encode(image))}
    answer: dict[str, object] = client.post("/api/drawing/", body, content_type="application/json").json()
    return answer


def test_scribbles_are_uncertain_and_digits_are_not(shipped: None) -> None:
    client = Client(HTTP_HOST="localhost")
    scribbles = [ask(client, scribble(seed))["uncertain"] for seed in range(60)]
    assert np.mean(scribbles) >= 0.8
    digits = [ask(client, draw(d, height=h, brush=b)) for d in range(10) for h, b in ((180, 25), (110, 12), (220, 30))]
    assert np.mean([a["uncertain"] for a in digits]) <= 0.1


def test_styles_that_mnist_lacks_are_read(shipped: None) -> None:
    """A slashed zero, a barred seven, a one with flag and foot."""
    zero = [
        [(0.5 + 0.3 * np.cos(a), 0.5 + 0.5 * np.sin(a)) for a in np.linspace(0, 6.3, 40)],
        [(0.2, 0.95), (0.8, 0.05)],
    ]
    seven = [[(0.18, 0.02), (0.82, 0.02), (0.4, 1.0)], [(0.3, 0.52), (0.78, 0.5)]]
    one = [[(0.25, 0.3), (0.5, 0.0), (0.5, 1.0)], [(0.25, 1.0), (0.75, 1.0)]]
    client = Client(HTTP_HOST="localhost")
    read = [ask(client, draw(0, strokes=strokes, brush=16))["prediction"] for strokes in (zero, seven, one)]
    assert read == [0, 7, 1]


def test_digits_that_resemble_others_are_read(shipped: None) -> None:
    """A three with a flat top, ones with a long flag and a long foot, a narrow four, a seven with a loop."""
    drawn = {
        "flat": (3, [[(0.1, 0.02), (0.75, 0.0), (0.35, 0.42), (0.7, 0.55), (0.75, 0.8), (0.45, 1.0), (0.05, 0.9)]]),
        "flag": (1, [[(0.1, 0.5), (0.55, 0.0), (0.55, 1.0)]]),
        "foot": (1, [[(0.3, 0.2), (0.5, 0.0), (0.5, 1.0)], [(0.05, 1.0), (0.95, 1.0)]]),
        "narrow": (4, [[(0.4, 0.0), (0.3, 0.55), (0.75, 0.55)], [(0.6, 0.05), (0.6, 1.0)]]),
        "looped": (7, [[(0.1, 0.05), (0.7, 0.0), (0.85, 0.1), (0.75, 0.2), (0.65, 0.08), (0.6, 0.4), (0.4, 1.0)]]),
    }
    client = Client(HTTP_HOST="localhost")
    read = {name: ask(client, draw(0, strokes=strokes, brush=14))["prediction"] for name, (_, strokes) in drawn.items()}
    assert read == {name: digit for name, (digit, _) in drawn.items()}


def test_characters_and_print_that_resemble_digits_are_uncertain(shipped: None) -> None:
    """Theta is no slashed zero, sigma no zero, a mirrored three no three; nor are a tick, crossing lines and a comb."""
    ring = [(0.5 + 0.33 * np.cos(a), 0.5 + 0.5 * np.sin(a)) for a in np.linspace(0, 6.3, 40)]
    drawn = {
        "theta": [ring, [(0.17, 0.5), (0.83, 0.5)]],
        "sigma": [[(x * 0.9, 0.3 + y * 0.7) for x, y in ring], [(0.45, 0.3), (1.0, 0.3)]],
        "mirrored three": [[(0.8, 0.1), (0.5, 0.0), (0.25, 0.2), (0.55, 0.45), (0.2, 0.7), (0.5, 1.0), (0.85, 0.9)]],
        "tick": [[(0.1, 0.6), (0.35, 1.0), (0.95, 0.0)]],
        "crossing": [[(0.0, 0.3), (1.0, 0.3)], [(0.0, 0.7), (1.0, 0.7)], [(0.5, 0.0), (0.5, 1.0)]],
        "comb": [[(0.0, 0.7), (1.0, 0.7)], *([(x, 0.4), (x, 0.7)] for x in (0.0, 0.33, 0.66, 1.0))],
        "letter M": [[(0.0, 1.0), (0.1, 0.0), (0.5, 0.6), (0.9, 0.0), (1.0, 1.0)]],
    }
    client = Client(HTTP_HOST="localhost")
    sure = [name for name, strokes in drawn.items() if not ask(client, draw(0, strokes=strokes, brush=14))["uncertain"]]
    assert not sure


def test_touching_zeros_are_no_certain_zero_and_yet_a_zero_before_any_other_digit(shipped: None) -> None:
    rings = [[(x + 0.25 * np.cos(a), 0.5 + 0.25 * np.sin(a)) for a in np.linspace(0, 6.3, 40)] for x in (0.25, 0.75)]
    answer = ask(Client(HTTP_HOST="localhost"), draw(0, strokes=rings, brush=16))
    assert (answer["prediction"], answer["uncertain"]) == (0, True)


def test_the_shipped_model_is_the_handwriting_presets() -> None:
    assert HISTORY["preset"] == "handwriting"
    assert HISTORY["test_accuracy"] >= 0.995
    assert HISTORY["calibration_error"] <= 0.01
    validated = [epoch["val_accuracy"] for epoch in HISTORY["epochs"]]
    assert len(validated) == HISTORY["parameters"]["epochs"]
    assert min(validated[10:]) > 0.985, "the averaged weights lag behind in the first epochs, and then no more"


@pytest.mark.stack
def test_processes_that_are_killed_take_no_run_and_leave_no_process(stack: Stack) -> None:
    """As the kernel kills when memory is short: first the process that makes pictures, then the one that trains."""
    number = stack.train(preset="handwriting", samples=600, epochs=100)
    stack.begun(number)
    child = stack.training_child()
    eventually(lambda: spawned(child), PATIENCE_SECONDS, "its second process")[0].kill()
    resumed = lambda: (run := stack.run(number))["attempt"] == 2 and run["resumed_after_epoch"] and run  # noqa: E731
    run = eventually(resumed, PATIENCE_SECONDS, "attempt 2")
    assert run["status"] == "in_progress"
    assert 1 <= run["resumed_after_epoch"] <= len(run["epochs"])
    child = stack.training_child()
    eventually(lambda: spawned(child), PATIENCE_SECONDS, "its second process")
    family = [child, *child.children(recursive=True)]
    child.kill()
    _, alive = psutil.wait_procs(family, timeout=PATIENCE_SECONDS)
    assert not alive
    stack.http.post("/api/stop_training/")
    assert stack.ended(number)["status"] == "interrupted"
