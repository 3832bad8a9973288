"""Is a confidence of 90 % right nine times in ten? The temperature that makes it so, and how far it is from so.

Guo, Pleiss, Sun, Weinberger: On Calibration of Modern Neural Networks (ICML 2017).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BINS = 15
TEMPERATURES = np.exp(np.linspace(np.log(0.25), np.log(4), 400))
SMALLEST = 1e-30


def tempered(probabilities: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
    """[N, 10] probabilities as a softmax of that temperature gives them: p ** (1/T), summing to 1 again."""
    logits = np.log(np.maximum(probabilities.astype(np.float64), SMALLEST)) / temperature
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    answer: NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
    return answer


def fit_temperature(probabilities: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """The temperature under which the labels [N] are likeliest; for digits that were not trained on."""
    rows = np.arange(len(labels))
    losses = [-np.log(np.maximum(tempered(probabilities, t)[rows, labels], SMALLEST)).mean() for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def expected_calibration_error(probabilities: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """The mean distance between confidence and accuracy over 15 equal bins of confidence, weighted by their digits."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [
        abs(float(confidence[bins == b].mean()) - float(right[bins == b].mean())) * int((bins == b).sum())
        for b in range(BINS)
        if (bins == b).any()
    ]
    return sum(gaps) / len(labels)


def confidence_floor(probabilities: NDArray[np.floating], share: float) -> float:
    """The confidence that all but `share` of these answers reach."""
    return float(np.quantile(probabilities.max(axis=1), share))
