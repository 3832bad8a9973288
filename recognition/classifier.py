"""28x28 in, ten probabilities out: the model in service, followed by every process within half a second.

A model is an ONNX file with one input, float32 [N, 28, 28, 1], ink 1.0 on 0.0, and one output, float32 [N, 10],
probabilities that sum to 1.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from django.db import Error as AnyDatabaseError
from numpy.typing import NDArray

from recognition.calibration import tempered
from recognition.errors import ModelRejected, ModelUnavailable, StorageUnavailable
from recognition.models import Activation, ModelVersion

if TYPE_CHECKING:
    import onnxruntime

CHECK_SECONDS = 0.5
PASS = 32  # digits at once: the fewest microseconds a digit, and a twentieth of the memory that 256 at once keep
# The key that names a tensor's other file. ONNX Runtime would read one, `../` included, beside the process' own folder.
# Protocol Buffers hold a text as it is, so bytes without it name none.
EXTERNAL_DATA = b"location"
REFUSED_SECONDS = 5.0  # until a file that was refused is tried again: asking a bucket that is away takes seconds
logger = logging.getLogger(__name__)


class Classifier:
    """One loaded model. ONNX Runtime's session is safe to share between threads, so one serves them all."""

    def __init__(
        self, content: bytes, *, version: int, temperature: float = 1.0, uncertain_below: float | None = None
    ) -> None:
        """Raises ModelRejected when the bytes are no model, or not one of this contract."""
        self.version, self.temperature, self.uncertain_below = version, temperature, uncertain_below or 0.0
        self._session = open_session(content)
        self._input = self._session.get_inputs()[0].name
        if [list(i.shape[1:]) for i in self._session.get_inputs()] != [[28, 28, 1]]:
            raise ModelRejected("The model does not take pictures of 28x28.")
        answer = self._session.run(None, {self._input: np.zeros((2, 28, 28, 1), np.float32)})[0]
        if answer.shape != (2, 10) or not np.allclose(answer.sum(axis=1), 1, atol=1e-3):
            raise ModelRejected("The model does not answer with ten probabilities.")

    @classmethod
    def load(cls, model: ModelVersion) -> Classifier:
        """From the registry, by checksum. Raises ModelRejected for a file that is missing, torn or another."""
        content = registered_bytes(model)
        return cls(content, version=model.pk, temperature=model.temperature, uncertain_below=model.uncertain_below)

    def probabilities(self, digits: Sequence[NDArray[np.float32]] | NDArray[np.float32]) -> NDArray[np.float64]:
        """`digits` is N of float32 [28, 28], or [N, 28, 28]; returns float64 [N, 10] at the model's temperature."""
        pictures = np.asarray(digits, np.float32).reshape(-1, 28, 28, 1)
        passes = [pictures[start : start + PASS] for start in range(0, len(pictures), PASS)]
        answers = [self._session.run(None, {self._input: several})[0] for several in passes]
        return tempered(np.concatenate(answers) if answers else np.empty((0, 10)), self.temperature)


def registered_bytes(model: ModelVersion) -> bytes:
    """A version's ONNX file. Raises ModelRejected when it is missing, torn or not the one that was published."""
    try:
        with model.file.open("rb") as file:
            content: bytes = file.read()
    except (OSError, StorageUnavailable) as error:
        raise ModelRejected(f"The file of {model} cannot be read.") from error
    if hashlib.sha256(content).hexdigest() != model.sha256:
        raise ModelRejected(f"The file of {model} is not the one that was published.")
    return content


def open_session(content: bytes) -> onnxruntime.InferenceSession:
    """An ONNX Runtime session of one thread: a digit is too small a job to share among cores.

    Raises ModelRejected for what is no ONNX file, or not all of it: the checksum vouches for these bytes alone.
    """
    if EXTERNAL_DATA in content:
        raise ModelRejected("The model refers to other files.")
    import onnxruntime  # here, so that a process which never answers a drawing does not carry it
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry(
        "session.load_model_format", "ONNX"
    )  # not its other one, which may be in there too
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except (
        state.Fail,
        state.InvalidGraph,
        state.InvalidProtobuf,
        state.InvalidArgument,
        state.NotImplemented,
    ) as error:
        raise ModelRejected("The file is not an ONNX model.") from error


class InService:
    """The process's current classifier. Which model serves is asked of the database at most twice a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._classifier: Classifier | None = None
        self._checked = float("-inf")
        self._loaded = ""  # SHA-256: after a new installation the same number may be another model's
        self._refused = ""
        self._try_again = 0.0

    def get(self) -> Classifier:
        """Raises ModelUnavailable when no model has ever been loadable.

        One request at a time looks; those that have a model do not wait for it, however long the database takes.
        """
        stale = time.monotonic() - self._checked > CHECK_SECONDS
        if stale and self._lock.acquire(blocking=self._classifier is None):
            try:
                if time.monotonic() - self._checked > CHECK_SECONDS:
                    self._follow()
                    self._checked = time.monotonic()
            finally:
                self._lock.release()
        if self._classifier is None:
            raise ModelUnavailable
        return self._classifier

    def _follow(self) -> None:
        """Load what was activated. A file that is refused, or a database that is away, leaves the previous serving."""
        try:
            activation = Activation.current()
            while activation is not None and not self._serve(activation.model):
                # A process that has just started has no previous one in memory: it goes back to what served before.
                activation = activation.previous if self._classifier is None else None
        except AnyDatabaseError as error:
            if self._classifier is None:
                raise
            logger.warning("model in service not looked up: %s", error)

    def _serve(self, model: ModelVersion) -> bool:
        """Make `model` the one that answers; False when its file is refused."""
        if self._classifier is not None and (self._classifier.version, self._loaded) == (model.pk, model.sha256):
            return True
        if self._classifier is not None and self._refused == model.sha256 and time.monotonic() < self._try_again:
            return False
        try:
            self._classifier = Classifier.load(model)
        except ModelRejected as error:
            if self._refused != model.sha256:  # once, not twice a second
                logger.error("%s refused: %s", model, error)
            self._refused, self._try_again = model.sha256, time.monotonic() + REFUSED_SECONDS
            return False
        self._loaded, self._refused = model.sha256, ""
        return True

    def forget(self) -> None:
        """Start anew, as a new process would."""
        with self._lock:
            self._classifier, self._checked, self._refused = None, float("-inf"), ""


_in_service = InService()
in_service = _in_service.get
forget = _in_service.forget


def is_available() -> bool:
    """Whether a model can answer now."""
    try:
        in_service()
    except (ModelUnavailable, AnyDatabaseError):
        return False
    return True
