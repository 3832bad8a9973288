"""What is news in the live events. No server."""

from typing import Any

import msgspec

from digits import Activated, Batch, Cancelled, Completed, EpochFinished, Event, Queued, Started
from digits.events import Follower, decode

EPOCH = {
    "loss": 0.1,
    "accuracy": 0.9,
    "val_loss": None,
    "val_accuracy": None,
    "objective": 0.1,
    "learning_rate": 0.001,
    "seconds": 1.0,
}
RUN = {
    "preset": "original",
    "parameters": {},
    "requested_by": "ada",
    "attempt": 1,
    "max_epochs": 3,
    "queued_at": "2026-01-01T00:00:00Z",
    "started_at": None,
    "finished_at": None,
    "test_accuracy": 0.99,
    "model": 4,
    "in_service": False,
    "error_code": "",
    "error": "",
    "not_activated": "",
}


def snapshot(run: int, epochs: int, status: str = "in_progress", **values: Any) -> dict[str, Any]:
    past = [{"epoch": number, **EPOCH} for number in range(1, epochs + 1)]
    return {"type": "snapshot", "run": {"id": run, "status": status, "epochs": past, **RUN, **values}, "seq": 9}


def epoch(run: int, number: int) -> dict[str, Any]:
    return {"type": "epoch", "run": run, "epoch": number, "seq": number + 2, **EPOCH}


def follow(follower: Follower, *messages: dict[str, Any]) -> list[Event]:
    return [
        event for each in messages for message in decode(msgspec.json.encode(each)) for event in follower.take(message)
    ]


def epochs(events: list[Event]) -> list[tuple[int, int]]:
    return [(event.run, event.epoch) for event in events if isinstance(event, EpochFinished)]


def test_every_epoch_comes_once_whatever_is_repeated() -> None:
    follower = Follower()
    first = follow(follower, snapshot(5, 1), epoch(5, 2), epoch(5, 2))
    again = follow(follower, snapshot(5, 2), epoch(5, 2), epoch(5, 3), snapshot(5, 3), snapshot(5, 3, "completed"))
    assert epochs(first + again) == [(5, 1), (5, 2), (5, 3)]
    assert [type(event) for event in first] == [Queued, Started, EpochFinished, EpochFinished]
    assert isinstance(again[-1], Completed)
    assert follow(follower, snapshot(5, 3, "completed"), epoch(5, 3)) == []


def test_what_the_server_repeats_after_a_snapshot_is_no_news() -> None:
    queued = {"type": "queued", "run": 5, "seq": 1, "preset": "original"}
    batch = {"type": "batch", "run": 5, "epoch": 1, "step": 3, "steps": 9, "loss": 1.0, "accuracy": 0.5}
    follower = Follower()
    follow(follower, snapshot(5, 1))
    assert follow(follower, queued, batch | {"seconds_left": None}) == []
    assert len(follow(follower, queued | {"seq": 4}, batch | {"epoch": 2, "seconds_left": 1.0})) == 2


def test_a_second_attempt_is_told_and_its_epochs_go_on() -> None:
    follower = Follower(5)
    started = {"type": "started", "run": 5, "seq": 7, "attempt": 2, "resumed_after_epoch": 1, "time": 1.0}
    events = follow(follower, snapshot(5, 2), {"type": "queued", "run": 5, "seq": 6}, started, epoch(5, 2), epoch(5, 3))
    assert [event.attempt for event in events if isinstance(event, Started)] == [1, 2]
    assert epochs(events) == [(5, 1), (5, 2), (5, 3)]


def test_other_runs_do_not_concern_who_follows_one() -> None:
    follower = Follower(5)
    assert follow(follower, snapshot(4, 3, "completed"), {"type": "activated", "model": 3, "time": 1.0}) == []
    (later,) = decode(msgspec.json.encode(snapshot(6, 1)))
    assert follower.behind(later) == 5, "its rest must be asked for"
    assert list(follower.take(later)) == []
    assert not follower.is_over


def test_who_follows_all_gets_the_rest_of_a_run_before_the_next() -> None:
    follower = Follower()
    seen = follow(follower, snapshot(5, 1))
    (later,) = decode(msgspec.json.encode(snapshot(6, 1)))
    assert follower.behind(later) == 5
    (ended,) = decode(msgspec.json.encode(snapshot(5, 3, "completed")))
    seen += follower.catch_up(ended.run)
    assert follower.behind(later) is None
    seen += follower.take(later)
    assert epochs(seen) == [(5, 1), (5, 2), (5, 3), (6, 1)]
    activated = follow(follower, {"type": "activated", "model": 3, "time": 1.0})
    assert activated == [Activated(model=3)]


def test_an_activation_that_only_a_later_snapshot_says_is_told_once() -> None:
    follower = Follower()
    assert Activated(model=4) not in follow(follower, snapshot(5, 1) | {"model": 4})
    assert follow(follower, snapshot(5, 1) | {"model": 3}, snapshot(5, 1) | {"model": 3}) == [Activated(model=3)]
    ended = snapshot(5, 1, "completed", in_service=True) | {"model": 4}
    assert [type(event) for event in follow(follower, ended)] == [Completed], "which says it"
    assert follow(follower, {"type": "activated", "model": 3, "time": 1.0}, ended) == [
        Activated(model=3),
        Activated(model=4),
    ]


def test_a_cancelled_run_was_never_queued() -> None:
    (message,) = decode(msgspec.json.encode(snapshot(5, 0, "cancelled", attempt=0)))
    assert list(Follower(5).catch_up(message.run)) == [Cancelled(run=5)]


def test_batches_and_unknown_messages() -> None:
    batch = {
        "type": "batch",
        "run": 5,
        "epoch": 1,
        "step": 3,
        "steps": 9,
        "loss": 1.0,
        "accuracy": 0.5,
        "seconds_left": None,
    }
    events = follow(Follower(), snapshot(5, 0), batch | {"more": [1]}, {"type": "pong"}, {"type": "new", "run": 5})
    assert [type(event) for event in events] == [Queued, Started, Batch]
    assert follow(Follower(), {"type": "snapshot", "run": None, "seq": 0, "model": None}) == []
