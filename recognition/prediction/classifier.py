"""Run the model in service. Every process follows an activation within half a second.

A model is an ONNX file with one input, float32 [N, 28, 28, 1], ink 1.0 on 0.0, and one output, float32 [N, 10],
probabilities that sum to 1.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
from django.db import Error as AnyDatabaseError
from numpy.typing import NDArray

from recognition.errors import ModelRejected, ModelUnavailable, StorageUnavailable
from recognition.inspection import refuse_external_data
from recognition.models import Activation, ModelVersion
from recognition.prediction.calibration import apply_temperature

if TYPE_CHECKING:
    import onnxruntime

CHECK_SECONDS = 0.5
RETRY_SECONDS = 5.0  # until a rejected file is tried again: an unreachable bucket takes seconds to answer
BATCH_SIZE = 32  # the least time a digit, and a twentieth of the memory of 256 at once
logger = logging.getLogger(__name__)


class Classifier:
    """A loaded model. ONNX Runtime's session is safe to share between threads."""

    def __init__(
        self, content: bytes, *, version: int, temperature: float = 1.0, uncertain_below: float | None = None
    ) -> None:
        """Raises ModelRejected if the bytes are not a model of this contract."""
        self.version, self.temperature, self.uncertain_below = version, temperature, uncertain_below or 0.0
        self._session = open_session(content)
        self._input = self._session.get_inputs()[0].name
        if [list(i.shape[1:]) for i in self._session.get_inputs()] != [[28, 28, 1]]:
            raise ModelRejected("The model's input is not a 28x28 image.")
        answer = self._session.run(None, {self._input: np.zeros((2, 28, 28, 1), np.float32)})[0]
        if answer.shape != (2, 10) or not np.allclose(answer.sum(axis=1), 1, atol=1e-3):
            raise ModelRejected("The model's output is not ten probabilities.")

    @classmethod
    def load(cls, model: ModelVersion) -> Classifier:
        """Load a registered version. Raises ModelRejected if its file is missing, torn or not the published one."""
        content = registered_bytes(model)
        return cls(content, version=model.pk, temperature=model.temperature, uncertain_below=model.uncertain_below)

    def probabilities(self, digits: Sequence[NDArray[np.float32]] | NDArray[np.float32]) -> NDArray[np.float64]:
        """Return float64 [N, 10] at the model's temperature for N digits, float32 [28, 28]."""
        images = np.asarray(digits, np.float32).reshape(-1, 28, 28, 1)
        batches = [images[start : start + BATCH_SIZE] for start in range(0, len(images), BATCH_SIZE)]
        answers = [self._session.run(None, {self._input: batch})[0] for batch in batches]
        return apply_temperature(np.concatenate(answers) if answers else np.empty((0, 10)), self.temperature)


def registered_bytes(model: ModelVersion) -> bytes:
    """Read a version's ONNX file. Raises ModelRejected if it is missing, torn or not the published one."""
    try:
        with model.file.open("rb") as file:
            content: bytes = file.read()
    except (OSError, StorageUnavailable) as error:
        raise ModelRejected(f"The file of {model} cannot be read.") from error
    if hashlib.sha256(content).hexdigest() != model.sha256:
        raise ModelRejected(f"The file of {model} is not the published one.")
    return content


def open_session(content: bytes) -> onnxruntime.InferenceSession:
    """Open an ONNX Runtime session of one thread: a digit is too small a job to share among cores.

    Raises ModelRejected for bytes that are not an ONNX model, or that refer to other files, which no checksum covers.
    """
    refuse_external_data(content)
    import onnxruntime  # here, so that a process without drawings does not carry it
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.enable_cpu_mem_arena = False  # 3 MB less after a batch, and a digit takes as long
    options.add_session_config_entry("session.load_model_format", "ONNX")  # never ORT's own format
    unusable = (state.Fail, state.InvalidGraph, state.InvalidProtobuf, state.InvalidArgument, state.NotImplemented)
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except unusable as error:
        raise ModelRejected("The file is not an ONNX model.") from error


class InService:
    """The process's current classifier. It asks the database at most twice a second which model is in service."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Forget the model and the checks, as in a new process."""
        with self._lock:
            self._classifier: Classifier | None = None
            self._loaded = (0, "")  # ID and SHA-256: after a reinstallation, the same ID may be another model's
            self._rejected, self._retry_at, self._checked_at = "", 0.0, float("-inf")

    def get(self) -> Classifier:
        """Return the classifier. Raises ModelUnavailable if none could be loaded yet.

        One request at a time checks; the others use the loaded model and do not wait for the database.
        """
        if self._is_stale() and self._lock.acquire(blocking=self._classifier is None):
            try:
                if self._is_stale():
                    self._follow()
                    self._checked_at = time.monotonic()
            finally:
                self._lock.release()
        if self._classifier is None:
            raise ModelUnavailable
        return self._classifier

    def if_in_service(self, model: ModelVersion) -> Classifier | None:
        """Return the classifier if it is this model's."""
        with suppress(ModelUnavailable):
            current = self.get()
            return current if self._loaded == (model.pk, model.sha256) else None
        return None

    def is_in_service(self, model: Classifier) -> bool:
        return model is self._classifier

    def _is_stale(self) -> bool:
        return time.monotonic() - self._checked_at > CHECK_SECONDS

    def _follow(self) -> None:
        """Load the activated model. If its file is rejected or the database is away, the previous one stays."""
        try:
            activation = Activation.current()
            while activation is not None and not self._load(activation.model):
                # A process that has just started has no previous model in memory: it loads the one activated before.
                activation = activation.previous if self._classifier is None else None
        except AnyDatabaseError as error:
            if self._classifier is None:
                raise
            logger.warning("cannot check which model is in service: %s", error)

    def _load(self, model: ModelVersion) -> bool:
        """Make `model` the current classifier. Returns False if its file is rejected."""
        if self._loaded == (model.pk, model.sha256):
            return True
        if self._classifier is not None and self._rejected == model.sha256 and time.monotonic() < self._retry_at:
            return False
        try:
            self._classifier = Classifier.load(model)
        except ModelRejected as error:
            if self._rejected != model.sha256:  # once, not at every check
                logger.error("%s rejected: %s", model, error)
            self._rejected, self._retry_at = model.sha256, time.monotonic() + RETRY_SECONDS
            return False
        self._loaded, self._rejected = (model.pk, model.sha256), ""
        return True


_in_service = InService()
in_service = _in_service.get
if_in_service = _in_service.if_in_service
is_in_service = _in_service.is_in_service
forget = _in_service.forget


def is_available() -> bool:
    """Whether a model can answer now."""
    try:
        in_service()
    except (ModelUnavailable, AnyDatabaseError):
        return False
    return True
