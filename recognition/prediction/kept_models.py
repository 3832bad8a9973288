"""Predict by a model that is not in service: the ones that were asked for last stay loaded in the process.

Loading one takes 4 ms of CPU, about as much as a prediction, and 4.5 MB; where its file is in a bucket, it waits.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict

from recognition.errors import LoadingBusy, ModelNotFound, ModelRejected, ModelUnavailable
from recognition.models import ModelVersion
from recognition.prediction import classifier
from recognition.prediction.classifier import RETRY_SECONDS, Classifier

MAX_LOADED = 3
MAX_WAITING = 2  # the page sends up to three at once; a waiting request holds one of granian's four threads
WAIT_SECONDS = 5.0  # for the model that another request loads
logger = logging.getLogger(__name__)


class KeptModels:
    """The process's loaded models besides the one in service."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # never held while a model is loaded
        self._loaded: OrderedDict[tuple[int, str], Classifier] = OrderedDict()  # by ID and SHA-256, the oldest first
        self._rejected: dict[tuple[int, str], float] = {}  # until when a file is not tried again
        self._slot = threading.Lock()
        self._queue = threading.Semaphore(1 + MAX_WAITING)

    def get(self, model: ModelVersion) -> Classifier:
        """Return the model's classifier; one is loaded at a time. Raises ModelUnavailable and LoadingBusy."""
        key = model.pk, model.sha256
        found = self._find(key)
        if found is not None:
            return found
        if not self._queue.acquire(blocking=False):
            raise LoadingBusy
        try:
            if not self._slot.acquire(timeout=WAIT_SECONDS):
                raise LoadingBusy
            try:
                return self._find(key) or self._load(model, key)
            finally:
                self._slot.release()
        finally:
            self._queue.release()

    def _find(self, key: tuple[int, str]) -> Classifier | None:
        with self._lock:
            if key in self._loaded:
                self._loaded.move_to_end(key)
            return self._loaded.get(key)

    def _load(self, model: ModelVersion, key: tuple[int, str]) -> Classifier:
        unavailable = ModelUnavailable(f"The file of {model} cannot be used.")
        if time.monotonic() < self._rejected.get(key, float("-inf")):
            raise unavailable
        try:
            loaded = Classifier.load(model)
        except ModelRejected as error:
            logger.error("%s rejected: %s", model, error)
            self._rejected[key] = time.monotonic() + RETRY_SECONDS
            raise unavailable from error
        self._rejected.pop(key, None)
        with self._lock:
            self._loaded[key] = loaded
            while len(self._loaded) > MAX_LOADED:
                self._loaded.popitem(last=False)
        return loaded


_kept = KeptModels()


def get(number: int) -> Classifier:
    """Return the classifier of the model with the ID `number`, which may be the one in service.

    Raises ModelNotFound, ModelUnavailable if its file is rejected, and LoadingBusy.
    """
    model = ModelVersion.objects.filter(pk=number).first()
    if model is None:
        raise ModelNotFound(f"There is no model {number}.")
    return classifier.if_in_service(model) or _kept.get(model)
