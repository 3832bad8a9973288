"""Live training events (docs/asyncapi.yaml), and how a viewer follows them. Plain Python.

A persisted event (queued, started, epoch, completed, interrupted, error) carries the `seq` that its row change gave
the run. A transient one (batch, phase) carries the run's current `seq`, and may be thinned or lost. `activated` is of
no run.
"""

import json
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, TypedDict

from training.learner import reports

Event = dict[str, Any]  # as it travels: a payload beside `run`, `seq` and `time`, or a snapshot
Position = tuple[int, int]  # (run, seq)
TRANSIENT = frozenset({"batch", "phase"})
ENDINGS = frozenset({"completed", "interrupted", "error"})
GROUP = "training"
NO_POSITION: Position = (0, 0)


class _Queued(TypedDict):
    type: Literal["queued"]


class Queued(_Queued, total=False):
    """A run waits for a worker; the first time, at `seq` 1, with its parameters."""

    preset: str
    parameters: Mapping[str, Any]
    max_epochs: int


class Started(TypedDict):
    type: Literal["started"]
    attempt: int
    resumed_after_epoch: int | None


class Completed(TypedDict):
    type: Literal["completed"]
    test_accuracy: float | None
    model: int | None
    in_service: bool


class Interrupted(TypedDict):
    type: Literal["interrupted"]


class Failed(TypedDict):
    type: Literal["error"]
    error_code: str
    error: str


class Batch(reports.Batch):
    """`seconds_left` is the worker's estimate for the whole run; None while there is nothing to measure."""

    seconds_left: float | None


class BatchPoint(TypedDict):
    """Means over the epoch so far; `at` counts epochs: 1.5 is the middle of the second."""

    at: float
    loss: float
    accuracy: float


class Snapshot(TypedDict):
    """The newest run as GET /api/runs/<id>/ shows it, or None before the first run.

    `batches` is the thinned curve of an active run, as far as the cache has it; `model` is the one in service.
    """

    type: Literal["snapshot"]
    seq: int
    run: Mapping[str, Any] | None
    batches: Sequence[BatchPoint]
    model: int | None


class Activated(TypedDict):
    """Another model is in service."""

    type: Literal["activated"]
    model: int
    time: float


class LatestPosition(TypedDict):
    """The newest position in the database: a feed pushes it to its viewers, which never send it."""

    type: Literal["position"]
    run: int
    seq: int


class Pong(TypedDict):
    type: Literal["pong"]


class ErrorFrame(TypedDict):
    type: Literal["error_frame"]
    code: Literal["invalid_json", "unknown_type"]
    message: str


Payload = Queued | Started | reports.Phase | Batch | reports.Epoch | Completed | Interrupted | Failed
Reply = Pong | ErrorFrame


class SharedEvent(Event):
    """An event or snapshot that all viewers of a process share: never changed, serialized once."""

    @cached_property
    def text(self) -> str:
        return json.dumps(self, default=str)


def event(payload: Payload, run: int, seq: int) -> Event:
    """Return one event of a run; `time` is the sender's clock in seconds since 1970."""
    return {"type": payload["type"], "run": run, "seq": seq, "time": round(time.time(), 3), **payload}


def snapshot(
    seq: int, run: Mapping[str, Any] | None, batches: Sequence[BatchPoint] = (), model: int | None = None
) -> SharedEvent:
    """Return the complete state at `seq`: what a viewer starts from, and returns to after a gap."""
    return SharedEvent(Snapshot(type="snapshot", seq=seq, run=run, batches=batches, model=model))


def activated(model: int) -> SharedEvent:
    """Return the message that another model is in service; `time` is when this process saw it."""
    return SharedEvent(Activated(type="activated", model=model, time=round(time.time(), 3)))


def position_of(message: Event) -> Position:
    """Return (run, seq) after this message.

    Positions only grow: a viewer follows the newest run, whose number is higher than those before. A shipped run that
    an upgrade adds has the next number too, but older times, so it is not the newest while other runs exist.
    """
    run = message["run"]
    if message["type"] == "snapshot":
        return (run["id"], message["seq"]) if run else NO_POSITION
    return run, message["seq"]


def decide(position: Position, message: Event) -> Literal["send", "drop", "gap"]:
    """Return what a viewer at `position` does with a live message; a gap calls for a snapshot."""
    there, (run, seq) = position_of(message), position
    if there < position:
        return "drop"
    if message["type"] in TRANSIENT or message["type"] == "position":
        return "send" if there == position else "gap"
    if there == position:
        return "drop"
    new_run = message["type"] == "queued" and message["seq"] == 1
    return "send" if new_run or there == (run, seq + 1) else "gap"


def is_ending(message: Event) -> bool:
    """Return whether the run has no further events after this message."""
    state = (message["run"] or {}).get("status") if message["type"] == "snapshot" else message["type"]
    return state in ENDINGS


def progress(max_epochs: int, percentage: float, last_epoch: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the legacy API's progress object; `epoch` and `accuracy` are the last finished epoch's."""
    values: dict[str, Any] = {"max_epochs": max_epochs, "percentage": round(percentage, 1)}
    if last_epoch:
        values["epoch"] = last_epoch["epoch"]
        if last_epoch["accuracy"] is not None:
            values["accuracy"] = f"{last_epoch['accuracy'] * 100:.2f}"
    return values
