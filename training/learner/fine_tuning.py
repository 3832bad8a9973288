"""What a run with a base model does around its epochs: begin with its weights, average, compare."""

from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np
from numpy.typing import NDArray

from recognition.prediction.calibration import apply_temperature
from training.learner import dataset, network
from training.learner.adaptation import replay
from training.learner.adaptation.compare import Contender, compare
from training.learner.adaptation.corrections import Corrections
from training.learner.adaptation.teacher import Teacher
from training.learner.config import Base, BaseMismatch
from training.learner.export import LARGEST_DIFFERENCE
from training.learner.measures import UNCERTAIN_SHARE, Predict
from training.learner.presets import PRESETS
from training.learner.reports import Figures, SetResult

CHECKED_DIGITS = 100
NEW_SHARE = 0.75  # of the new weights in the average: most of what was learnt stays, half of what was forgotten returns


def load_weights(base: Base) -> list[Any]:
    """Return the weights of the base model, in Keras' order.

    Only the weights are read from the file, which has no checksum of its own: the layers are this project's, and their
    answers are compared with those of the ONNX file. Raises BaseMismatch.
    """
    model = network.build(PRESETS["adapt"])
    try:
        model.load_weights(base.keras_file)
    except (OSError, KeyError, ValueError, BadZipFile) as error:
        raise BaseMismatch("The Keras file of the model in service cannot be loaded.") from error
    digits = replay.load().digits[:CHECKED_DIGITS]
    answers = network.compile_predict(model)(digits[..., np.newaxis])
    if not np.allclose(answers, Teacher(base.onnx_file).predict(digits), atol=LARGEST_DIFFERENCE):
        raise BaseMismatch("The Keras file of the model in service differs from its ONNX file.")
    weights: list[Any] = model.get_weights()
    return weights


def average_with(model: keras.Model, earlier: list[Any]) -> None:
    """Average the model's weights with the base model's."""
    pairs = zip(model.get_weights(), earlier, strict=True)
    model.set_weights([NEW_SHARE * new + (1 - NEW_SHARE) * old for new, old in pairs])


def keep_doubt(base: Base, predict: Predict, figures: Figures, held_back: dataset.Digits) -> float | None:
    """Return the threshold of `uncertain` that leaves as many pictures of no digit uncertain as the base model does.

    It is at least the one that was fitted on the held-back digits, and leaves at most twice as many of them uncertain.
    """
    fitted = figures["uncertain_below"]
    if fitted is None:
        return None
    pictures = replay.load().non_digits[..., np.newaxis]

    def confidence(answers: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
        highest: NDArray[np.float64] = apply_temperature(answers, temperature).max(axis=1)
        return highest

    before = confidence(Teacher(base.onnx_file).predict(pictures), base.temperature)
    after = confidence(predict(pictures), figures["temperature"] or 1.0)
    wanted = float(np.quantile(after, np.mean(before < (base.uncertain_below or 0.0))))
    of_digits = confidence(predict(held_back.images), figures["temperature"] or 1.0)
    return max(fitted, min(wanted, float(np.quantile(of_digits, 2 * UNCERTAIN_SHARE))))


def compare_with(
    base: Base, predict: Predict, figures: Figures, learnt: Corrections, test: dataset.Digits
) -> list[SetResult]:
    """Compare the trained network with the base model, both calibrated as they serve."""
    champion = Contender(Teacher(base.onnx_file).predict, base.temperature, base.uncertain_below or 0.0)
    challenger = Contender(predict, figures["temperature"] or 1.0, figures["uncertain_below"] or 0.0)
    return compare(champion, challenger, learnt, test)
