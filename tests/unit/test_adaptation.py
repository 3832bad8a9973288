"""What the preset adapt trains on, and how it compares two networks."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from numpy.typing import NDArray

from recognition.comparison import mcnemar, objections
from tests.support.small_adaptation import SMALL
from training.learner import dataset
from training.learner.adaptation import builder, compare, corrections, moments, replay
from training.learner.adaptation.teacher import Teacher
from training.learner.measures import stopped_gaining
from training.shipping import MODEL_FILE

NO_DIGIT = dataset.NO_DIGIT


@pytest.fixture(scope="module")
def digits() -> dataset.Digits:
    return dataset.load(settings.MNIST_DIR, "train")[:3000]


@pytest.fixture(autouse=True)
def build_small_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SMALL.items():
        monkeypatch.setattr(builder, name, value)


@pytest.fixture(scope="module")
def teacher() -> Teacher:
    return Teacher(MODEL_FILE)


def write(file: Path, images: NDArray[np.uint8], labels: list[int], held_out: list[bool]) -> Path:
    ids = np.arange(len(labels)) + 100
    np.savez(file, images=images, labels=np.array(labels), held_out=np.array(held_out, bool), ids=ids)
    return file


def pictures(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (count, 28, 28), np.uint8)


def test_held_out_corrections_are_neither_taught_nor_validate(tmp_path: Path) -> None:
    images = pictures(450)
    held_out = [row % 3 == 0 for row in range(450)]
    learnt = corrections.load(write(tmp_path / "c.npz", images, [row % 11 for row in range(450)], held_out))
    assert len(learnt.held_out) == 150
    assert learnt.held_out_ids.tolist() == list(range(100, 550, 3))
    assert len(learnt.taught) + len(learnt.validation) == 300
    assert 8 <= len(learnt.validation) <= 24, "about one in sixteen"
    assert learnt.validation.labels.max() < NO_DIGIT
    parts = [learnt.taught, learnt.validation, learnt.held_out]
    seen = [{hashlib.sha256(image.tobytes()).digest() for image in part.images} for part in parts]
    assert len(set.union(*seen)) == 450


def test_a_few_corrections_are_all_taught(tmp_path: Path) -> None:
    learnt = corrections.load(write(tmp_path / "c.npz", pictures(30), [1] * 30, [False] * 30))
    assert (len(learnt.taught), len(learnt.validation), len(learnt.held_out)) == (30, 0, 0)


def epochs_of(digits: dataset.Digits, teacher: Teacher, taught: dataset.Digits) -> builder.AdaptationBuilder:
    nothing = digits[:0]
    learnt = corrections.Corrections(taught, nothing, nothing, np.empty(0, np.int64))
    return builder.AdaptationBuilder(7, digits, learnt, teacher)


def test_an_epoch_teaches_what_the_teacher_misreads_and_repeats_what_it_knows(
    digits: dataset.Digits, teacher: Teacher
) -> None:
    """The corrections say that ones are sevens, so the teacher does not know them."""
    ones = digits[np.flatnonzero(digits.labels == 1)[:20]]
    wrong = dataset.Digits(ones.images, np.full(20, 7))
    images, targets = epochs_of(digits, teacher, wrong).build(1)
    assert len(targets) <= builder.epoch_size(20)
    assert images.shape == (len(targets), 28, 28)
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-3)
    learnt = np.isclose(targets[:, 7], 0.973, atol=1e-3) & (np.isclose(targets, 0.003, atol=1e-4).sum(axis=1) == 9)
    assert learnt.sum() >= 20 * builder.copies_of(20) * 0.9, "the corrections' own labels"
    answers = teacher.predict(images[~learnt].astype(np.float32) / 255)
    kept = answers.argmax(axis=1) == targets[~learnt].argmax(axis=1)
    assert kept.mean() > 0.95, "the rest repeats the teacher"


def test_an_epoch_depends_on_seed_and_number_alone(digits: dataset.Digits, teacher: Teacher) -> None:
    taught = digits[:20]
    first = epochs_of(digits, teacher, taught)
    second = first.build(2)
    for one, other in zip(second, epochs_of(digits, teacher, taught).build(2), strict=True):
        assert np.array_equal(one, other)
    assert not np.array_equal(second[0], first.build(1)[0])


def test_without_digits_among_the_corrections_only_doubt_is_taught(digits: dataset.Digits, teacher: Teacher) -> None:
    sevens = digits[np.flatnonzero(digits.labels == 7)[:12]]
    images, targets = epochs_of(digits, teacher, dataset.Digits(sevens.images, np.full(12, NO_DIGIT))).build(1)
    assert len(images) > 1000
    assert (np.ptp(targets, axis=1) < 1e-6).sum() >= 12 * builder.copies_of(12) * 0.9, "uniform targets"


def test_transferred_digits_have_the_proportions_of_the_corrections(digits: dataset.Digits) -> None:
    narrow = np.zeros((40, 28, 28, 1), np.float32)
    threes = digits[np.flatnonzero(digits.labels == 3)[:40]]
    narrow[:, :, 8:20] = threes.images[:, :, 2:26:2]  # half as wide
    made, labels = moments.HabitTransfer(dataset.Digits(narrow, threes.labels), digits).draw(
        100, np.random.default_rng(1)
    )
    assert len(made) == 100
    assert set(labels.tolist()) == {3}

    def width_by_height(images: Any) -> float:
        matrices = moments.covariances(images)
        return float(np.sqrt(matrices[:, 0, 0] / matrices[:, 1, 1]).mean())

    assert width_by_height(made) == pytest.approx(width_by_height(narrow[..., 0]), rel=0.12)
    assert width_by_height(threes.images[..., 0]) > 1.4 * width_by_height(made)


def test_the_drawings_that_are_replayed_are_what_the_command_draws() -> None:
    drawings = replay.load()
    assert len(drawings.digits) == len(drawings.labels) == replay.DIGITS
    assert np.bincount(drawings.labels).tolist() == [replay.DIGITS // 10] * 10
    assert (len(drawings.non_digits), len(drawings.judged)) == (replay.NON_DIGITS, replay.JUDGED)
    again = replay.pack(replay.pen.digits(drawings.labels[:30], replay.SEED))
    np.testing.assert_allclose(again / (replay.LEVELS - 1), drawings.digits[:30], atol=0.07)


def test_a_comparison_counts_every_pair_and_shows_the_differences(digits: dataset.Digits) -> None:
    """A champion that always says 3, and a challenger that always says 5, and is unsure of no digits."""

    def always(digit: int, probability: float) -> compare.Contender:
        row = np.full(10, (1 - probability) / 9, np.float32)
        row[digit] = probability
        return compare.Contender(lambda images: np.tile(row, (len(images), 1)), 1.0, 0.8)

    judged = dataset.Digits(digits.images[:11], np.arange(11))
    learnt = corrections.Corrections(digits[:0], digits[:0], judged, np.arange(11) + 50)
    results = compare.compare(always(3, 0.9), always(5, 0.7), learnt, digits[:500])
    mnist, held_out, no_digits = results
    threes, fives = ((digits.labels[:500] == digit).sum() for digit in (3, 5))
    assert (mnist["fixed"], mnist["broken"], mnist["both_right"]) == (fives, threes, 0)
    assert (held_out["fixed"], held_out["broken"], held_out["both_wrong"]) == (2, 1, 8)
    assert {one["correction"] for one in held_out["fixed_examples"]} == {55, 60}
    assert no_digits["fixed"] == no_digits["count"] == replay.JUDGED
    assert no_digits["fixed_examples"][0]["picture"].startswith("data:image/png;base64,")
    assert len(mnist["fixed_examples"]) == compare.EXAMPLES


@pytest.mark.parametrize(("fixed", "broken", "p"), [(0, 0, 1.0), (5, 5, 1.0), (0, 5, 0.0625), (1, 9, 0.021484375)])
def test_mcnemar_is_exact(fixed: int, broken: int, p: float) -> None:
    assert mcnemar(fixed, broken) == pytest.approx(p)


def test_objections_are_raised_for_a_significant_loss_and_for_a_tenth_more_errors() -> None:
    def one(name: Any, fixed: int, broken: int, both_wrong: int) -> Any:
        p = mcnemar(fixed, broken)
        count = 10_000 if name == "mnist_test" else 100
        return {"name": name, "count": count, "fixed": fixed, "broken": broken, "both_wrong": both_wrong, "p": p}

    assert objections([one("mnist_test", 4, 7, 35), one("held_out", 8, 0, 3), one("no_digits", 10, 16, 60)]) == []
    assert len(objections([one("mnist_test", 4, 9, 35)])) == 1, "44 errors instead of 39"
    assert len(objections([one("held_out", 1, 9, 3)])) == 1
    assert len(objections([one("held_out", 6, 1, 23)])) == 1, "a fifth of the labels is wrong"
    assert objections([one("held_out", 6, 1, 23) | {"count": 19}]) == []
    weak = one("mnist_test", 30, 2, 1200)
    assert objections([weak, one("held_out", 6, 1, 23)]) == [], "a network that misreads as much elsewhere"
    assert len(objections([one("mnist_test", 4, 30, 35), one("no_digits", 2, 20, 60)])) == 3


def test_training_stops_when_the_validation_gains_nothing_more() -> None:
    assert not stopped_gaining([])
    assert not stopped_gaining([0.5, 0.6, 0.7])
    assert not stopped_gaining([0.5, 0.4, 0.6, 0.39])
    assert stopped_gaining([0.5, 0.4, 0.6, 0.41, 0.4])


def test_labels_of_which_mnist_has_no_digit_here_transfer_nothing(digits: dataset.Digits) -> None:
    taught = digits[:40]
    made, labels = moments.HabitTransfer(taught, digits[np.flatnonzero(digits.labels == 4)]).draw(
        20, np.random.default_rng(1)
    )
    assert len(made) == 20
    assert set(labels.tolist()) == {4}
    assert len(moments.HabitTransfer(taught[:0], digits).draw(20, np.random.default_rng(1))[0]) == 0
