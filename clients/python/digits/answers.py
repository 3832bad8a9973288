"""What the service answers, typed. Keys that a newer server adds are ignored."""

from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The base of all answers."""

    def as_dict(self) -> dict[str, Any]:
        """Return JSON's types: dicts, lists, strings, numbers."""
        values: dict[str, Any] = msgspec.to_builtins(self)
        return values


class Digit(Answer, frozen=True, kw_only=True):
    """A digit: `confidence` in per cent, `probabilities` of 0 to 9; `uncertain` says not to trust it, and why."""

    prediction: int
    confidence: float
    uncertain: bool
    uncertain_reason: str | None
    probabilities: list[float]


class Change(Answer, frozen=True, kw_only=True):
    """A 28x28 `picture` (a PNG as a data URL) that differs in few `pixels` and is read as `prediction`."""

    prediction: int
    pixels: int
    picture: str


class Explanation(Answer, frozen=True, kw_only=True):
    """What speaks for `digit` (positive) and against it, in 28 rows of 28, and a change to it, None if none was found.

    `field` is where the 28x28 lie in the picture: left, top, width and height in its pixels.
    """

    digit: int
    method: str
    evidence: list[list[float]]
    field: tuple[float, float, float, float]
    change: Change | None


class Prediction(Digit, frozen=True, kw_only=True):
    """A drawing's digit; with `preview=True`, `preview` is what the network saw, a PNG of 28x28 as a data URL."""

    model: int
    preview: str | None = None
    explanation: Explanation | None = None


class NumberDigit(Digit, frozen=True, kw_only=True):
    """One digit of a number; `box` is its left, top, width and height in the picture's pixels."""

    box: tuple[int, int, int, int]


class Number(Answer, frozen=True, kw_only=True):
    """A line of digits, as text because zeros may come first; `confidence` of all, in per cent."""

    number: str
    confidence: float
    uncertain: bool
    uncertain_reason: str | None
    model: int
    digits: list[NumberDigit]


class Correction(Answer, frozen=True, kw_only=True):
    """A stored correction; `label` is None for no digit; `undo` takes a new one back within an hour."""

    id: int
    state: str
    label: int | None
    predicted: int | None
    model: int | None
    undo: str | None = None


class Epoch(Answer, frozen=True, kw_only=True):
    """A finished epoch; losses in nats, accuracies as fractions, None where not measured."""

    epoch: int
    loss: float | None
    accuracy: float | None
    val_loss: float | None
    val_accuracy: float | None
    objective: float | None
    learning_rate: float
    seconds: float


class Run(Answer, frozen=True, kw_only=True):
    """A training run; in a list, `epochs` is empty and `finished_epochs` counts them.

    `queue_position` counts from 1 while it waits for others; `continues` is the run that it went on from.
    """

    id: int
    status: str
    preset: str
    parameters: dict[str, Any]
    requested_by: str
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    attempt: int
    max_epochs: int
    test_accuracy: float | None
    model: int | None
    in_service: bool
    error_code: str
    error: str
    not_activated: str
    name: str = ""
    notes: str = ""
    tags: list[str] = []
    baseline: bool = False
    queue_position: int | None = None
    continues: int | None = None
    confusion: list[list[int]] | None = None
    epochs: list[Epoch] = []
    finished_epochs: int | None = None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in {"completed", "interrupted", "error", "cancelled"}


class Model(Answer, frozen=True, kw_only=True):
    """A model; `run` trained it, and is None for one from elsewhere."""

    id: int
    sha256: str
    size: int
    test_accuracy: float | None
    created_at: datetime
    in_service: bool
    run: int | None
    parent: int | None
    name: str = ""
    origin: str = "run"


class Estimate(Answer, frozen=True, kw_only=True):
    """A run's duration: fixed seconds + samples * (seconds per sample + epochs * seconds per sample and epoch)."""

    fixed_seconds: float
    seconds_per_sample: float
    seconds_per_sample_epoch: float


class Preset(Answer, frozen=True, kw_only=True):
    """A recipe, with its default parameters; `estimate` is None until a run of it has completed there."""

    name: str
    title: str
    epochs: int
    batch_size: int
    learning_rate: float
    samples: int
    validation_samples: int = 0
    estimate: Estimate | None = None


class Batch(Answer, frozen=True, kw_only=True):
    """An answer for each drawing, in their order: a Prediction or an error's object."""

    model: int
    results: list[dict[str, Any]]


class Page(Answer, Generic[T], frozen=True, kw_only=True):
    """One page of a list; `next` is the address of the following one."""

    results: list[T]
    next: str | None = None


class RunReference(Answer, frozen=True, kw_only=True):
    """The number of a run that was requested or stopped, and what the server says about it."""

    run: int
    message: str = ""


class RequestedRun(RunReference, frozen=True, kw_only=True):
    """`queue_position` counts from 1 while the run waits for others, and is 0 or None if it does not."""

    queue_position: int | None = None
