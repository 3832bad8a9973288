"""Loss and accuracy of training and validation: the same measure for every preset, of digits alone."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from training.learner.presets import PRESETS

DIGITS, OTHERS = 40, 24


def measured(preset_name: str) -> dict[str, Any]:
    """Take one step on digits and pictures of no digit. With TensorFlow, so in a process of its own."""
    import keras

    from training.learner import dataset, epochs, loop, measures, network

    preset = replace(PRESETS[preset_name], dropout=0.0)  # so that the step meets the answers that can be asked for
    keras.utils.set_random_seed(1)
    model = network.build(preset)
    model.layers[-1].bias.assign(np.eye(10, dtype=np.float32)[0])  # it answers 0, the argmax of uniform targets
    network.compile_for(model, preset, 0.001, 10)
    rng = np.random.default_rng(1)
    pictures = rng.random((DIGITS + OTHERS, 28, 28, 1), np.float32)
    labels = np.concatenate([np.arange(DIGITS) % 10, np.full(OTHERS, epochs.NO_DIGIT)])
    predict = network.compile_predict(model)
    answers = predict(pictures)
    held_back = dataset.Digits(pictures[:DIGITS], labels[:DIGITS])
    validated = measures.validate(predict, held_back)
    sums = network.compile_step(model, preset)(pictures, epochs.TARGETS[labels]) * [len(labels), 1, 1, 1]
    means = loop.means_of(sums, len(labels))
    return {"answers": answers, "labels": labels, "means": means, "smoothing": preset.label_smoothing, **validated}


@pytest.mark.parametrize("preset", PRESETS)
def test_training_and_validation_measure_the_same(preset: str) -> None:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        found = process.submit(measured, preset).result()
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
