"""The function that trains: the setting LEARNER, the tests' own, and what all presets measure alike."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings

from digits_site import checks
from recognition.prediction.classifier import Classifier
from tests.support import numpy_learner
from tests.support.keras_process import (
    DIGITS,
    OTHERS,
    Reports,
    base_refusals,
    keras_reports,
    measured,
    predictions_of,
    refusals,
    reports_of,
    step_by_muon,
    weights_by_adam,
)
from tests.support.stack import NUMPY_LEARNER
from training.learner import dataset
from training.learner.checkpoints import prepare_attempt
from training.learner.config import KERAS_LEARNER, Base, Config
from training.learner.presets import PRESETS
from training.shipping import KERAS_FILE, MODEL_FILE

RECIPE = {"epochs": 2, "batch_size": 64, "learning_rate": 0.001, "samples": 60_000, "seed": 11, "folder": Path()}


@pytest.fixture(scope="module")
def tensorflow() -> Iterator[ProcessPoolExecutor]:
    """A process of its own for TensorFlow."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield pool


def shapes(reports: Reports) -> list[tuple[str, ...]]:
    """The reports in their order, each with its keys and the types of its values; several of one kind count once."""
    kinds = [
        (str(r.get("phase", r["type"])), *(f"{key}: {type(r[key]).__name__}" for key in sorted(r))) for r in reports
    ]
    return list(dict.fromkeys(kinds))


def epochs_of(reports: Reports) -> Reports:
    return [{k: v for k, v in report.items() if k != "seconds"} for report in reports if report["type"] == "epoch"]


def test_the_learner_of_the_tests_does_what_keras_does(
    tensorflow: ProcessPoolExecutor, tmp_path: Path, settings
) -> None:
    """It reports the same, resumes where it was ended, and exports what it has learned."""

    def attempt(run: str, number: int = 1, finished: int = 0) -> Config:
        config = Config("fast", 3, 64, 0.001, 1025, 11, tmp_path / run, settings.MNIST_DIR, number)
        return prepare_attempt(config, finished)

    keras = tensorflow.submit(keras_reports, attempt("keras"))
    unbroken = attempt("whole")
    whole = reports_of(numpy_learner.fit, unbroken)
    first = reports_of(numpy_learner.fit, attempt("broken"), last_epoch=1)
    resumed = attempt("broken", 2, 1)
    second = reports_of(numpy_learner.fit, resumed)
    assert epochs_of(first + second) == epochs_of(whole)
    assert shapes(whole) == shapes(keras.result())
    assert unbroken.keras_file.exists()
    content = unbroken.model_file.read_bytes()
    assert content == resumed.model_file.read_bytes()
    test = dataset.load(settings.MNIST_DIR, "t10k")
    answers = Classifier(content, version=0).probabilities(test.images[..., 0])
    accuracy = float(np.mean(answers.argmax(axis=1) == test.labels))
    assert accuracy == pytest.approx(whole[-1]["test_accuracy"], abs=1e-3)
    assert accuracy > 0.75


def parts(**values: Any) -> tuple[list[int], list[int]]:
    """Return the positions in MNIST's file of the training digits and of the held-back ones."""
    kept, held_back = dataset.load_parts(Config(**{"preset": "original", **RECIPE, "mnist": Path()} | values))
    return kept.labels.tolist(), held_back.labels.tolist()


def test_digits_are_held_back_on_request_and_original_trains_on_all_by_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    everything = list(range(60_000))
    stored = np.zeros((60_000, 1, 1), np.uint8), np.arange(60_000)  # the label of each digit is its position
    monkeypatch.setattr(dataset, "as_stored", lambda *_: stored)
    assert parts() == (everything, []), "all of them, in the order of the file"
    assert parts(validation_samples=0) == (everything, [])
    kept, held_back = parts(validation_samples=700)
    assert (len(kept), len(held_back)) == (59_300, 700)
    assert sorted(kept + held_back) == everything, "none is in both parts"
    of_fast = parts(preset="fast")[1]
    assert (len(of_fast), of_fast[:700]) == (2_500, held_back), "runs can be compared"
    chosen, again = parts(validation_samples=700, samples=900, seed=5)
    assert (len(chosen), again) == (900, held_back), "whatever the seed"
    assert not set(chosen) & set(again)
    assert parts(preset="fast", validation_samples=0)[1] == []


def test_a_resumed_run_keeps_its_validation_digits_and_only_a_preset_that_calibrates_does(tmp_path: Path) -> None:
    def attempt(run: str, number: int = 1, finished: int = 0, **values: Any) -> Config:
        folder = {"folder": tmp_path / run, "mnist": settings.MNIST_DIR, "attempt": number}
        given = {"preset": "original", "validation_samples": 600, **RECIPE, "samples": 1025, **folder}
        return prepare_attempt(Config(**given | values), finished)

    whole = reports_of(numpy_learner.fit, attempt("whole"))
    first = reports_of(numpy_learner.fit, attempt("broken"), last_epoch=1)
    assert epochs_of(first + reports_of(numpy_learner.fit, attempt("broken", 2, 1))) == epochs_of(whole)
    assert all(0.5 < epoch["val_accuracy"] < 1 for epoch in epochs_of(whole))
    assert (whole[-1]["temperature"], whole[-1]["uncertain_below"]) == (None, None)
    calibrated = {"preset": "fast", "epochs": 1}
    assert reports_of(numpy_learner.fit, attempt("fast", **calibrated))[-1]["uncertain_below"] is not None
    few = reports_of(numpy_learner.fit, attempt("few", validation_samples=10, **calibrated))
    assert few[-1]["uncertain_below"] is None, "10 digits say nothing about one in 200"


def test_a_loss_that_becomes_nan_and_an_export_whose_answers_are_wrong_are_refused(
    tensorflow: ProcessPoolExecutor, tmp_path: Path, settings
) -> None:
    """No rate that a request may have gets there. A converter can write a file that loads and is wrong."""
    config = prepare_attempt(Config("original", 1, 16, 1e30, 1000, 1, tmp_path, settings.MNIST_DIR), 0)
    assert tensorflow.submit(refusals, config).result() == ["diverged", "export_mismatch"]


def test_a_keras_file_that_is_not_the_base_models_is_refused(tensorflow: ProcessPoolExecutor, tmp_path: Path) -> None:
    """It has no checksum: only its weights are read, and they must answer as the ONNX file does."""
    base = Base(MODEL_FILE, tmp_path / "base.keras", 1.0, 0.5)
    base.keras_file.write_bytes(KERAS_FILE.read_bytes())
    assert tensorflow.submit(base_refusals, base).result() == ["base_mismatch"] * 3


@pytest.mark.parametrize("preset", PRESETS)
def test_training_and_validation_measure_the_same_and_steps_follow_gradients(
    tensorflow: ProcessPoolExecutor, preset: str
) -> None:
    found = tensorflow.submit(measured, preset).result()
    answers, labels = found["answers"].astype(np.float64), found["labels"][:DIGITS]
    odds = answers[:DIGITS]
    cross_entropy = -np.log(odds[np.arange(DIGITS), labels]).mean()
    correct = (odds.argmax(axis=1) == labels).mean()
    assert (answers[DIGITS:].argmax(axis=1) == 0).all(), "the pictures of no digit would count as correct zeros"
    assert found["means"]["accuracy"] == pytest.approx(correct)
    assert found["val_accuracy"] == pytest.approx(correct)
    assert found["means"]["loss"] == pytest.approx(cross_entropy, rel=1e-4)
    assert found["val_loss"] == pytest.approx(cross_entropy, rel=1e-4)
    targets = np.full((DIGITS + OTHERS, 10), 0.1)
    targets[:DIGITS] = np.eye(10)[labels]
    smoothed = targets * (1 - found["smoothing"]) + found["smoothing"] / 10
    assert found["means"]["objective"] == pytest.approx(-(smoothed * np.log(answers)).sum(axis=1).mean(), rel=1e-4)
    for step, gradient in zip(found["steps"], found["gradients"], strict=True):
        np.testing.assert_allclose(step, gradient, atol=1e-5 * np.abs(gradient).max())


def test_adam_as_one_operation_does_what_keras_adam_does(tensorflow: ProcessPoolExecutor) -> None:
    fused, own = tensorflow.submit(weights_by_adam).result()
    np.testing.assert_allclose(fused, own, rtol=1e-5)
    assert (np.abs(fused - 1) > 0.05).all()


def test_any_number_of_pictures_is_predicted(tensorflow: ProcessPoolExecutor) -> None:
    """Also where one is left over after parts of 500: a run may hold 1 or 501 digits back."""
    for found, expected in tensorflow.submit(predictions_of, [0, 1, 2, 3, 500, 501]).result():
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(12, 30), (30, 12), (5, 5, 3, 8)])
def test_muon_steps_equally_far_in_every_direction_of_the_gradient(
    tensorflow: ProcessPoolExecutor, shape: tuple[int, ...]
) -> None:
    """The singular vectors stay; the singular values become about equal, for steps as large as Adam's."""
    gradient = (np.random.default_rng(2).normal(size=shape) * np.geomspace(1, 4, shape[-1])).astype(np.float32)
    step = tensorflow.submit(step_by_muon, gradient).result()
    left, values, right = np.linalg.svd(gradient.reshape(-1, shape[-1]), full_matrices=False)
    assert values[0] > 3 * values[-1]
    along = left.T @ step.reshape(-1, shape[-1]) @ right.T
    np.testing.assert_allclose(along - np.diag(np.diag(along)), 0, atol=0.02 * along.max())
    assert np.diag(along).min() > 0.6 * np.diag(along).max()
    assert np.sqrt((step**2).mean()) == pytest.approx(0.2, rel=0.3)


NOT_FOUND = ("", "fit", "training.learner.nobody.fit", "nobody.learner.fit", "training..fit")


@pytest.mark.parametrize(
    ("name", "value", "errors"),
    [
        *(("LEARNER", path, []) for path in (KERAS_LEARNER, NUMPY_LEARNER)),
        *(("LEARNER", path, ["digits.E021"]) for path in NOT_FOUND),
        ("RUN_LOST_SECONDS", 1.0, ["digits.E023"]),  # a run would be lost between two heartbeats
        *((name, checks.MAX_DAYS, []) for name in ("CORRECTION_DAYS", "WEBHOOK_DAYS")),
        *((name, 1_000_000, ["digits.E025"]) for name in ("CORRECTION_DAYS", "WEBHOOK_DAYS")),  # before the year 1
    ],
)
def test_a_setting_that_no_worker_can_go_by_is_named(settings, name: str, value: object, errors: list[str]) -> None:
    setattr(settings, name, value)
    assert [error.id for error in checks.value_errors()] == errors


def test_public_mode_trains_with_keras_only(settings) -> None:
    assert "digits.E022" not in [error.id for error in checks.public_errors()]
    settings.LEARNER = NUMPY_LEARNER
    assert "digits.E022" in [error.id for error in checks.public_errors()]
