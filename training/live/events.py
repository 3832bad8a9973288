"""The shapes of live events (docs/asyncapi.yaml), and how a viewer follows them. Plain Python.

A persisted event (queued, started, epoch, completed, interrupted, error) carries the `seq` that its row change gave the
run. A passing one (batch, phase) carries the present `seq` and may be thinned or lost.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

Event = dict[str, Any]
Position = tuple[int, int]
PASSING = frozenset({"batch", "phase"})
ENDINGS = frozenset({"completed", "interrupted", "error"})
GROUP = "training"
NOWHERE: Position = (0, 0)


class News(Event):
    """An event or a snapshot as its viewers share it: never changed, its JSON made once, for the first of them."""

    @cached_property
    def text(self) -> str:
        return json.dumps(self, default=str)


def event(kind: str, run: int, seq: int, **values: Any) -> Event:
    """One event of a run; `time` is the sender's clock, seconds since 1970."""
    return {"type": kind, "run": run, "seq": seq, "time": round(time.time(), 3), **values}


def snapshot(seq: int, run: Mapping[str, Any] | None) -> News:
    """The whole state at `seq`: what a viewer starts from, and returns to after a gap."""
    return News({"type": "snapshot", "seq": seq, "run": run})


def position_of(message: Event) -> Position:
    """(run, seq) after this message; runs are numbered upwards, so positions order all of history."""
    run = message["run"]
    if message["type"] == "snapshot":
        return (run["id"], message["seq"]) if run else NOWHERE
    return run, message["seq"]


def verdict(here: Position, message: Event) -> Literal["send", "drop", "gap"]:
    """What a viewer who stands at `here` does with a live message: pass it on, ignore it, or ask for a snapshot."""
    there = position_of(message)
    if message["type"] in PASSING or message["type"] == "position":
        return "send" if there == here else "gap" if there > here else "drop"
    if there <= here:
        return "drop"
    if message["type"] == "queued" and message["seq"] == 1:
        return "send"  # a new run begins
    return "send" if there == (here[0], here[1] + 1) else "gap"


def is_ending(message: Event) -> bool:
    """Whether nothing more is to come of the run after this message."""
    state = (message["run"] or {}).get("status") if message["type"] == "snapshot" else message["type"]
    return state in ENDINGS


def progress(max_epochs: int, percentage: float, last_epoch: Mapping[str, Any] | None) -> dict[str, Any]:
    """The original's progress object: `epoch` and `accuracy` (per cent, a string) are of the last finished epoch."""
    shown: dict[str, Any] = {"max_epochs": max_epochs, "percentage": round(percentage, 1)}
    if last_epoch:
        shown["epoch"] = last_epoch["epoch"]
        if last_epoch["accuracy"] is not None:
            shown["accuracy"] = f"{last_epoch['accuracy'] * 100:.2f}"
    return shown
