"""Temperature scaling: is a confidence of 90 % right nine times in ten?

Guo, Pleiss, Sun, Weinberger: On Calibration of Modern Neural Networks (ICML 2017).
"""

import numpy as np
from numpy.typing import NDArray

BINS = 15
TEMPERATURES = np.exp(np.linspace(np.log(0.25), np.log(4), 400))
EPSILON = 1e-30


def apply_temperature(probabilities: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
    """Return [N, 10] probabilities as a softmax of that temperature gives them: p ** (1/T), normalized."""
    logits = np.log(np.maximum(probabilities.astype(np.float64), EPSILON)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    scaled: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return scaled


def fit_temperature(probabilities: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Return the temperature that maximizes the likelihood of the labels [N] of held-back digits."""
    rows = np.arange(len(labels))
    true_class = [apply_temperature(probabilities, temperature)[rows, labels] for temperature in TEMPERATURES]
    losses = [-np.log(np.maximum(likelihoods, EPSILON)).mean() for likelihoods in true_class]
    return float(TEMPERATURES[int(np.argmin(losses))])


def expected_calibration_error(probabilities: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Return the mean distance between confidence and accuracy over BINS bins of confidence, weighted by digits."""
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return float(np.abs(np.bincount(bins, weights=confidence - correct)).sum()) / len(labels)


def confidence_floor(probabilities: NDArray[np.floating], share: float) -> float:
    """Return the confidence that all but `share` of these answers reach."""
    return float(np.quantile(probabilities.max(axis=1), share))
