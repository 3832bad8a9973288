"""That a storm's history is judged rightly: each kind of wrong is found in it, and nothing in a good one."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.campaigns.storm.checks import longest_silence, violations
from tests.campaigns.storm.history import Record


def row(status: str = "in_progress", **values: Any) -> Record:
    """A run as the sampler sees it; `heartbeat_at` is told apart, never computed with."""
    known = {"id": 5, "status": status, "attempt": 1, "seq": 2, "heartbeat_at": "a", "stop_requested_at": None}
    return known | {"model_id": None, "error_code": "", "max_epochs": 2, "epochs": []} | values


FIRST, BOTH = [[1, 0.5]], [[1, 0.5], [2, 0.4]]
ENDED = row("completed", seq=5, epochs=BOTH, model_id=3, heartbeat_at="c")


def good() -> list[Record]:
    """Run 5, two epochs, seen by everybody; nothing was hit."""
    up = [{"t": 0.0, "kind": "life", "process": name, "state": "up"} for name in ("web-0", "worker-0", "redis")]
    told = {"client": "ws-0", "connection": 1, "run": 5}
    news = [
        {"t": 1.0, "kind": "ws", "type": "snapshot", "seq": 2, "status": "in_progress", "epochs": [], **told},
        {"t": 4.0, "kind": "ws", "type": "epoch", "seq": 3, "status": "epoch", "epoch": 1, **told},
        {"t": 7.0, "kind": "ws", "type": "epoch", "seq": 4, "status": "epoch", "epoch": 2, **told},
        {"t": 9.0, "kind": "ws", "type": "completed", "seq": 5, "status": "completed", **told},
    ]
    stream = {"kind": "sse", "client": "sse-0", "connection": 1}
    asked = {"kind": "request", "what": "retrain_model", "web": "web-0", "run": 5, "code": ""}
    return [
        *up,
        {"t": 0.5, "kind": "rows", "runs": [row("queued", attempt=0, seq=1, heartbeat_at=None)]},
        {"t": 1.0, "kind": "rows", "runs": [row()]},
        {"t": 1.0, "kind": "trainers", "workers": ["worker-0"]},
        {"t": 4.0, "kind": "rows", "runs": [row(seq=3, epochs=FIRST, heartbeat_at="b")]},
        {"t": 7.0, "kind": "rows", "runs": [row(seq=4, epochs=BOTH, heartbeat_at="c")]},
        {"t": 9.0, "kind": "rows", "runs": [ENDED]},
        *news,
        {"t": 5.0, "told": {"max_epochs": 2, "percentage": 3.0, "epoch": 1, "accuracy": "9.0"}, **stream},
        {"t": 9.0, "told": {"event": "close", "reason": "completed", "run": 5}, **stream},
        {"t": 9.0, "kind": "drawing", "web": "web-0", "asked": 8.9, "status": 200, "model": 1}
        | {"prediction": 7, "confidence": 99.0, "code": None},
        {"t": 9.5, **asked, "asked": 0.4, "answered": 0.5, "status": 202},
        {"t": 9.5, **asked, "asked": 0.6, "answered": 0.7, "status": 409},
        {"t": 10.0, "kind": "end", "runs": [ENDED]}
        | {"models": {"1": {"whole": True, "prediction": 7, "confidence": 99.0}, "3": {"whole": True}}},
    ]


def of(kind: str, history: list[Record], number: int = 0) -> Record:
    return [record for record in history if record["kind"] == kind][number]


def test_a_good_history_violates_nothing() -> None:
    assert violations(good()) == []
    assert longest_silence(good()) == 3.0


def drop(history: list[Record], *records: Record) -> None:
    history[:] = [record for record in history if not any(record is unwanted for unwanted in records)]


def second_trainer(history: list[Record]) -> None:
    history.insert(3, {"t": 1.5, "kind": "life", "process": "worker-1", "state": "up"})
    of("trainers", history).update(workers=["worker-0", "worker-1"])


Spoil = Callable[[list[Record]], object]
WRONGS: dict[str, Spoil] = {
    "are active at once": lambda h: of("rows", h, 1)["runs"].append(row(id=6)),
    "went from queued to completed": lambda h: drop(h, *(of("rows", h, n) for n in (1, 2, 3))),
    "changed after its end": lambda h: of("end", h).update(runs=[ENDED | {"seq": 6}]),
    "went back": lambda h: of("rows", h, 2).update(runs=[row(seq=1, epochs=FIRST)]),
    "is at attempt 4": lambda h: of("rows", h, 3).update(runs=[row(seq=4, attempt=4, epochs=BOTH)]),
    "lost or changed epochs": lambda h: of("rows", h, 3).update(runs=[row(seq=4, epochs=[[2, 0.4]])]),
    "without a sign of life": lambda h: [r.update(t=r["t"] + 60) for r in h if r["t"] >= 9],
    "trained at once": second_trainer,
    "saw no more": lambda h: h.append({"t": 9.9, "kind": "blind", "witness": "rows", "error": "gone"}),
    "no record of sse": lambda h: drop(h, of("sse", h, 0), of("sse", h, 1)),
    "has the epochs": lambda h: of("end", h).update(runs=[ENDED | {"epochs": [[1, 0.5], [3, 0.4]]}]),
    "is completed with": lambda h: of("end", h).update(runs=[ENDED | {"model_id": None}]),
    "nobody asked for it": lambda h: of("end", h).update(runs=[ENDED | {"status": "interrupted"}]),
    "ended with the error": lambda h: of("end", h).update(runs=[row("error", error_code="runner_failed")]),
    "is still in_progress": lambda h: of("end", h).update(runs=[row()]),
    "torn or missing": lambda h: of("end", h)["models"].update({"3": {"whole": False}}),
    "which does not exist": lambda h: of("end", h)["models"].pop("3"),
    "was told of epoch at": lambda h: of("ws", h, 2).update(seq=3),
    "sees the epochs [1, 1]": lambda h: of("ws", h, 2).update(epoch=1),
    "saw run 5 end error": lambda h: of("ws", h, 3).update(status="error"),
    "was told that run 5 ended": lambda h: of("sse", h, 1)["told"].update(reason="interrupted"),
    "per cent": lambda h: of("sse", h)["told"].update(percentage=101),
    "was told of epoch 0 after 1": lambda h: h.insert(
        -1, of("sse", h) | {"t": 6.0, "told": {"max_epochs": 2, "percentage": 3.0}}
    ),
    "unlike model 1": lambda h: of("drawing", h).update(prediction=1),
    "did not answer a drawing": lambda h: of("drawing", h).update(status=0, code="ReadError"),
    "answered a drawing with 500": lambda h: of("drawing", h).update(status=500),
    "was answered with 500": lambda h: of("request", h).update(status=500),
    "was not answered": lambda h: of("request", h, 1).update(status=0, asked=2.0, answered=3.0),
    "was told of run 8": lambda h: of("request", h, 1).update(run=8),
    "as another request was": lambda h: of("request", h, 1).update(status=202),
}


@pytest.mark.parametrize("words", WRONGS)
def test_each_wrong_is_found(words: str) -> None:
    history = good()
    WRONGS[words](history)
    assert any(words in sentence for sentence in violations(history)), violations(history)


def test_a_server_that_is_down_need_not_answer() -> None:
    history = good()
    of("drawing", history).update(status=0, code="ConnectError")
    history.insert(3, {"t": 8.8, "kind": "life", "process": "web-0", "state": "down"})
    assert violations(history) == []
