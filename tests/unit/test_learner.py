"""The setting LEARNER, and that the tests' own learner does what Keras' does."""

from pathlib import Path

import numpy as np
import pytest

from digits_site import checks
from recognition.classifier import Classifier
from tests.support.attempt import Attempt
from tests.support.stack import NUMPY_LEARNER
from training.learner import dataset
from training.learner.config import KERAS_LEARNER


def shapes(attempt: Attempt) -> list[tuple[str, ...]]:
    """The reports in their order, each with its keys and the types of its values; several of one kind count once."""
    kinds = [
        (str(r.get("phase", r["type"])), *(f"{key}: {type(r[key]).__name__}" for key in sorted(r)))
        for r in attempt.reports
    ]
    return list(dict.fromkeys(kinds))


def test_the_learner_of_the_tests_reports_what_keras_reports(tmp_path: Path) -> None:
    keras = Attempt(tmp_path / "keras", "fast")
    regression = Attempt(tmp_path / "numpy", "fast", learner=NUMPY_LEARNER)
    try:
        assert shapes(regression.follow()) == shapes(keras.follow())
        assert regression.config.keras_file.exists()
    finally:
        keras.kill()
        regression.kill()


def test_the_learner_of_the_tests_learns_resumes_and_exports(tmp_path: Path, settings) -> None:
    whole = Attempt(tmp_path / "whole", "fast", learner=NUMPY_LEARNER).follow()
    first = Attempt(tmp_path / "broken", "fast", learner=NUMPY_LEARNER).follow(last_epoch=1)
    first.kill()
    second = Attempt(tmp_path / "broken", "fast", number=2, finished=1, learner=NUMPY_LEARNER).follow()
    assert first.epochs + second.epochs == whole.epochs
    content = whole.config.model_file.read_bytes()
    assert content == second.config.model_file.read_bytes()
    test = dataset.load(settings.MNIST_DIR, "t10k")
    answers = Classifier(content, version=0).probabilities(test.images[..., 0])
    accuracy = float(np.mean(answers.argmax(axis=1) == test.labels))
    assert accuracy == pytest.approx(whole.reports[-1]["test_accuracy"], abs=1e-3)
    assert accuracy > 0.75


@pytest.mark.parametrize("path", [KERAS_LEARNER, NUMPY_LEARNER])
def test_a_learner_that_can_be_found(settings, path: str) -> None:
    settings.LEARNER = path
    assert list(checks.value_errors()) == []


@pytest.mark.parametrize("path", ["", "fit", "training.learner.nobody.fit", "nobody.learner.fit", "training..fit"])
def test_a_learner_that_cannot_be_found_is_named(settings, path: str) -> None:
    settings.LEARNER = path
    assert [error.id for error in checks.value_errors()] == ["digits.E021"]


def test_a_run_is_not_lost_between_two_heartbeats(settings) -> None:
    settings.RUN_LOST_SECONDS = 1.0
    assert [error.id for error in checks.value_errors()] == ["digits.E023"]


def test_public_mode_trains_with_keras_only(settings) -> None:
    assert "digits.E022" not in [error.id for error in checks.public_errors()]
    settings.LEARNER = NUMPY_LEARNER
    assert "digits.E022" in [error.id for error in checks.public_errors()]
