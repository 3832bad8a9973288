"""The model that an adapting run begins with, as it answers in service."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

BATCH = 250


class Teacher:
    """One thread, and no TensorFlow: the augmentation process asks it."""

    def __init__(self, onnx_file: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(onnx_file, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def predict(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return probabilities float32 [N, 10], not calibrated, for pictures float32 [N, 28, 28] or [N, 28, 28, 1]."""
        images = pictures.reshape(-1, 28, 28, 1)
        batches = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
        answers = [self._session.run(None, {self._input: batch})[0] for batch in batches]
        return np.concatenate(answers) if answers else np.empty((0, 10), np.float32)
