"""Every call against a running server, and its errors."""

import asyncio
import os
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from conftest import BLANK, NUMBER, SEVEN
from digits import (
    AsyncDigits,
    Completed,
    Conflict,
    Digits,
    EpochFinished,
    Interrupted,
    Invalid,
    NotAllowed,
    NotFound,
    Refused,
    Unreachable,
    calls,
)
from digits.answers import Page, Run

SHORT = {"samples": 600, "batch_size": 64}


def test_a_picture_may_be_a_path_bytes_or_an_open_file(digits: Digits) -> None:
    with SEVEN.open("rb") as file:
        found = [
            digits.predict(each) for each in (SEVEN, str(SEVEN), SEVEN.read_bytes(), file, BytesIO(SEVEN.read_bytes()))
        ]
    assert [answer.prediction for answer in found] == [7] * 5
    answer = digits.predict(SEVEN, preview=True, model=found[0].model)
    assert answer.preview
    assert answer.preview.startswith("data:image/png;base64,")
    explanation = digits.predict(SEVEN, explain=1).explanation
    assert explanation
    assert explanation.digit == 1
    assert [len(row) for row in explanation.evidence] == 28 * [28]
    assert sum(answer.probabilities) == pytest.approx(1, abs=1e-4)
    assert (answer.uncertain, answer.uncertain_reason) == (False, None)


def test_a_number_and_a_batch(digits: Digits) -> None:
    number = digits.read_number(NUMBER)
    assert number.number == "407"
    left = [digit.box[0] for digit in number.digits]
    assert left == sorted(left)
    seven, blank = digits.predict_many([SEVEN, BLANK])
    assert not isinstance(seven, Refused)
    assert seven.prediction == 7
    assert isinstance(blank, Invalid)
    assert blank.code == "blank_drawing"


def test_a_correction_is_sent_repeated_and_taken_back(digits: Digits) -> None:
    first = digits.correct(SEVEN, None)
    assert (first.label, first.predicted) == (None, 7)
    assert first.undo
    again = digits.correct(SEVEN, None)
    assert (again.id, again.undo) == (first.id, None)
    digits.undo(first)
    with pytest.raises(NotFound):
        digits.undo(first)


@pytest.mark.training
def test_a_run_is_trained_watched_and_listed(digits: Digits) -> None:
    run = digits.train(**SHORT, epochs=2)
    with pytest.raises(Conflict) as refusal:
        digits.train(**SHORT)
    assert (refusal.value.code, refusal.value.details["run"]) == ("run_active", run)
    events = list(digits.watch(run))
    assert [event.epoch for event in events if isinstance(event, EpochFinished)] == [1, 2]
    end = events[-1]
    assert isinstance(end, Completed)
    found = digits.run(run)
    assert found.has_ended
    assert (found.model, found.test_accuracy) == (end.model, end.test_accuracy)
    assert [epoch.epoch for epoch in found.epochs] == [1, 2]
    assert next(digits.runs(status="completed")).id == run
    assert next(digits.models()).id == found.model
    assert digits.model(found.model).run == run
    assert [type(event) for event in digits.watch(run)][-3:] == [EpochFinished, EpochFinished, Completed], (
        "once more, when it is over"
    )


@pytest.mark.training
def test_a_run_is_stopped(digits: Digits) -> None:
    run = digits.train(**SHORT, epochs=100)
    events = digits.watch(run)
    next(event for event in events if isinstance(event, EpochFinished))
    assert digits.stop(run) == run
    assert isinstance(list(events)[-1], Interrupted)
    with pytest.raises(Conflict):
        digits.stop(run)


def test_models_and_presets(digits: Digits) -> None:
    model = min(digits.models(), key=lambda model: model.id).id
    content = digits.export(model)
    assert len(content) == digits.model(model).size
    assert {"original", "fast", "handwriting", "adapt"} <= {preset.name for preset in digits.presets()}
    if "DIGITS_TOKEN" in os.environ:
        assert digits.activate(model).in_service


@pytest.mark.training
def test_all_pages_are_read(digits: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    known = [run.id for run in digits.runs()]
    whole = calls.runs

    def one_run(*given: Any) -> calls.Call[Page[Run]]:
        call = whole(*given)
        return replace(call, params={**call.params, "page_size": 1})

    monkeypatch.setattr(calls, "runs", one_run)
    assert len(known) > 1
    assert [run.id for run in digits.runs()] == known


def test_errors_say_what_to_do(url: str, digits: Digits, tmp_path: Path) -> None:
    with pytest.raises(Invalid) as error:
        digits.predict(BLANK)
    assert (error.value.status, error.value.code) == (422, "blank_drawing")
    assert str(error.value)
    with pytest.raises(Invalid):
        digits.train(epochs=0)
    with pytest.raises(NotFound):
        digits.run(10**6)
    with pytest.raises(FileNotFoundError):
        digits.predict(tmp_path / "none.png")
    with Digits(url, "digits_wrong") as stranger, pytest.raises(NotAllowed):
        stranger.activate(1)
    with Digits("http://127.0.0.1:9", patience=0.6) as nobody:
        with pytest.raises(Unreachable):
            nobody.predict(SEVEN)
        with pytest.raises(Unreachable):
            list(nobody.watch())


@pytest.mark.training
def test_the_async_twin(url: str) -> None:
    async def use() -> None:
        async with AsyncDigits(url) as digits:
            answers = await asyncio.gather(*(digits.predict(SEVEN) for _ in range(5)))
            assert [answer.prediction for answer in answers] == [7] * 5
            run = await digits.train(**SHORT, epochs=2)
            events = [event async for event in digits.watch(run)]
            assert [event.epoch for event in events if isinstance(event, EpochFinished)] == [1, 2]
            assert (await digits.run(run)).status == "completed"
            assert (await anext(digits.runs())).id == run
            assert (await digits.correct(SEVEN, 7)).label == 7

    asyncio.run(use())
