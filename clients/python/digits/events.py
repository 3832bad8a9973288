"""The live events of training, and which of them are news. No network here.

The messages are those of the service's AsyncAPI document. A snapshot is never shown: what it holds beyond what was
seen becomes events.
"""

from collections.abc import Iterator
from typing import get_args

import msgspec

from digits.answers import Answer, Epoch, Run
from digits.errors import UnknownAnswer


class RunEvent(Answer, frozen=True, kw_only=True, tag_field="type"):
    """Of one run."""

    run: int


class Queued(RunEvent, frozen=True, kw_only=True, tag="queued"):
    """The run waits for a worker: at its start, where `seq` is 1, or again after its worker was lost."""

    seq: int = 1


class Started(RunEvent, frozen=True, kw_only=True, tag="started"):
    """A worker has the run. A second attempt goes on after epoch `resumed_after_epoch`."""

    attempt: int
    resumed_after_epoch: int | None = None


class Phase(RunEvent, frozen=True, kw_only=True, tag="phase"):
    """What the training process does: importing, loading, drawing, fitting, evaluating, exporting or stopping."""

    phase: str
    progress: float | None = None


class Batch(RunEvent, frozen=True, kw_only=True, tag="batch"):
    """Progress within an epoch, at most ten times a second; means over the epoch so far."""

    epoch: int
    step: int
    steps: int
    loss: float
    accuracy: float
    seconds_left: float | None


class EpochFinished(Epoch, frozen=True, kw_only=True, tag_field="type", tag="epoch"):
    """An epoch has ended and is stored. Each comes exactly once."""

    run: int


class Completed(RunEvent, frozen=True, kw_only=True, tag="completed"):
    """The run has ended and published `model`."""

    test_accuracy: float | None
    model: int | None
    in_service: bool


class Interrupted(RunEvent, frozen=True, kw_only=True, tag="interrupted"):
    """The run was stopped. Its epochs are kept."""


class Cancelled(RunEvent, frozen=True, kw_only=True, tag="cancelled"):
    """The run was cancelled while it waited."""


class Failed(RunEvent, frozen=True, kw_only=True, tag="error"):
    """The run failed."""

    error_code: str
    error: str


class Activated(Answer, frozen=True, kw_only=True, tag_field="type", tag="activated"):
    """Another model is in service."""

    model: int


Event = Queued | Started | Phase | Batch | EpochFinished | Completed | Interrupted | Cancelled | Failed | Activated
ENDINGS = (Completed, Interrupted, Cancelled, Failed)


class Snapshot(Answer, frozen=True, kw_only=True, tag_field="type", tag="snapshot"):
    run: Run | None
    model: int | None = None


class Other(Answer, frozen=True, kw_only=True):
    """A message of any type."""

    type: str


Message = Event | Snapshot
MESSAGE = msgspec.json.Decoder(Message)
TYPE = msgspec.json.Decoder(Other)
TYPES = frozenset(kind.__struct_config__.tag for kind in get_args(Message))


def decode(text: str | bytes) -> list[Message]:
    """Return the message in a frame; none if it is of a type that a newer server adds. Raises UnknownAnswer."""
    try:
        return [MESSAGE.decode(text)] if TYPE.decode(text).type in TYPES else []
    except (msgspec.MsgspecError, RecursionError) as error:
        raise UnknownAnswer(f"A message is not as the service's are: {error}") from error


class Follower:
    """Turns the messages of one or several connections into events, each of which is news.

    Follows `run` until it ends, or without one the newest run, whichever that is, for ever.
    """

    def __init__(self, run: int | None = None) -> None:
        self.followed = run
        self._model: int | None = None  # in service, as far as is known
        self._begin(run or 0)

    def _begin(self, run: int) -> None:
        self._run, self._attempt, self._epoch, self._was_queued, self._has_ended = run, 0, 0, False, False

    @property
    def is_over(self) -> bool:
        """Whether the followed run has ended, and its end was yielded."""
        return self.followed is not None and self._has_ended

    def behind(self, message: Message) -> int | None:
        """Return the run whose rest was missed, as a later one is on: `catch_up` with it before `take`."""
        return self._run if self._run and not self._has_ended and run_of(message) > self._run else None

    def take(self, message: Message) -> Iterator[Event]:
        """Yield the news in a message."""
        run = run_of(message)
        if self.followed is None:
            yield from self._activation(message)
        if run > self._run and self.followed is None:
            self._begin(run)
        if run != self._run:
            return
        if isinstance(message, Snapshot):
            if message.run:
                yield from self.catch_up(message.run)
        elif not isinstance(message, Activated) and self._is_news(message):
            yield message

    def _activation(self, message: Message) -> Iterator[Event]:
        """Yield that another model is in service, also if only a later snapshot says so."""
        known = self._model
        if isinstance(message, Completed) and message.in_service:
            self._model = message.model
        elif isinstance(message, (Activated, Snapshot)) and message.model:
            self._model = message.model
            if isinstance(message, Activated):
                yield message
            elif known not in {None, message.model} and not self._completes(message.run):
                yield Activated(model=message.model)

    def _completes(self, run: Run | None) -> bool:
        """Return whether the run's end is still to be yielded, and says that its model is in service."""
        return run is not None and run.in_service and not (run.id == self._run and self._has_ended)

    def catch_up(self, run: Run) -> Iterator[Event]:
        """Yield what a run has gone through and was not seen."""
        past: list[Event] = [] if self._was_queued or run.status == "cancelled" else [Queued(run=run.id)]
        if run.attempt:
            past.append(Started(run=run.id, attempt=run.attempt))
        past += [EpochFinished(run=run.id, **epoch.as_dict()) for epoch in run.epochs]
        yield from filter(self._is_news, past + ending_of(run))

    def _is_news(self, event: Event) -> bool:
        """Return whether the event was not seen, and remember it."""
        if self._has_ended:
            return False
        if isinstance(event, Queued):
            is_news, self._was_queued = event.seq > 1 or not self._was_queued, True
            return is_news
        if isinstance(event, Batch):
            return event.epoch > self._epoch
        if isinstance(event, Started):
            is_news, self._attempt = event.attempt > self._attempt, max(event.attempt, self._attempt)
            return is_news
        if isinstance(event, EpochFinished):
            is_news, self._epoch = event.epoch > self._epoch, max(event.epoch, self._epoch)
            return is_news
        self._has_ended = isinstance(event, ENDINGS)
        return True


def run_of(message: Message) -> int:
    """Return the number of the message's run, 0 without one."""
    if isinstance(message, Activated):
        return 0
    return message.run.id if isinstance(message.run, Run) else message.run or 0


def ending_of(run: Run) -> list[Event]:
    """Return the event of a run's end, if it has ended."""
    if run.status == "completed":
        return [Completed(run=run.id, test_accuracy=run.test_accuracy, model=run.model, in_service=run.in_service)]
    if run.status == "interrupted":
        return [Interrupted(run=run.id)]
    if run.status == "cancelled":
        return [Cancelled(run=run.id)]
    if run.status == "error":
        return [Failed(run=run.id, error_code=run.error_code, error=run.error)]
    return []
