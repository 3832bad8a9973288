"""The Python client of the digits service."""

from digits.answers import Correction, Digit, Epoch, Model, Number, NumberDigit, Prediction, Preset, Run
from digits.async_client import AsyncDigits
from digits.client import Digits
from digits.errors import (
    BadArgument,
    Busy,
    Conflict,
    DigitsError,
    Invalid,
    NotAllowed,
    NotFound,
    Refused,
    UnknownAnswer,
    Unreachable,
)
from digits.events import (
    Activated,
    Batch,
    Completed,
    EpochFinished,
    Event,
    Failed,
    Interrupted,
    Phase,
    Queued,
    Started,
)

__all__ = [
    "Activated",
    "AsyncDigits",
    "BadArgument",
    "Batch",
    "Busy",
    "Completed",
    "Conflict",
    "Correction",
    "Digit",
    "Digits",
    "DigitsError",
    "Epoch",
    "EpochFinished",
    "Event",
    "Failed",
    "Interrupted",
    "Invalid",
    "Model",
    "NotAllowed",
    "NotFound",
    "Number",
    "NumberDigit",
    "Phase",
    "Prediction",
    "Preset",
    "Queued",
    "Refused",
    "Run",
    "Started",
    "UnknownAnswer",
    "Unreachable",
]
