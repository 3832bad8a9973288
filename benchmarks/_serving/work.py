"""The work that the comparison servers do: the product's own decoding and preparation, then ONNX Runtime.

Runs in their environments, so it imports no Django and nothing of the product that does.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from recognition.imaging.decoding import decode_data_url
from recognition.imaging.preprocessing import prepare

MODEL = Path(__file__).resolve().parents[2] / "training" / "data" / "shipped" / "model.onnx"


class Reader:
    """The model that ships, on one thread as in the product."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(MODEL), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def read(self, drawing: str) -> dict[str, Any]:
        """A data URL -> digit, confidence in per cent, ten probabilities."""
        return self.read_all([drawing])[0]

    def read_all(self, drawings: Sequence[str]) -> list[dict[str, Any]]:
        """The same for several, in one pass through the network."""
        digits = np.stack([prepare(decode_data_url(drawing)) for drawing in drawings])
        return [answer(row.tolist()) for row in self._session.run(None, {self._input: digits[..., np.newaxis]})[0]]


def answer(probabilities: list[float]) -> dict[str, Any]:
    best = max(range(10), key=probabilities.__getitem__)
    return {
        "prediction": best,
        "confidence": round(probabilities[best] * 100, 2),
        "probabilities": probabilities,
    }
