# Made from async_client.py by make_sync.py.
"""The client: a method for each call of the service."""

import time
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, TypeVar

import httpx

from digits import answers, calls, watching
from digits.calls import Call, Picture
from digits.errors import BadArgument, Busy, Refused, UnknownAnswer, Unreachable
from digits.events import Event, Follower, decode
from digits.transport.synchronous import HTTPClient, connect, sleep

WAITING_SECONDS = 2.0  # until a waiting run is looked at again
T = TypeVar("T")


class Digits:
    """A connection to the service, to be closed, or used in a `with` statement.

    Args:
        url: Where it runs.
        token: An access token, for what not everybody may do.
        timeout: Seconds of silence in one request.
        patience: Seconds in which a busy or absent server is asked again; 0: never. `train`, `stop` and
            `undo` are repeated only if nothing was done.

    Raises BadArgument. Every method raises Refused if the server says no, Unreachable if it does not answer, and
    UnknownAnswer if something else does.
    """

    def __init__(
        self, url: str = calls.LOCAL, token: str | None = None, *, timeout: float = 30.0, patience: float = 30.0
    ) -> None:
        if not patience >= 0:
            raise BadArgument(f"patience is {patience}.")
        self.url, self.patience = calls.address(url), patience
        try:
            self._http = HTTPClient(base_url=self.url, headers=calls.headers(token), timeout=timeout)
        except (ValueError, ImportError) as error:  # of the environment's proxy
            raise BadArgument(str(error)) from None

    def __enter__(self) -> "Digits":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def predict(
        self, picture: Picture, *, model: int | None = None, preview: bool = False, explain: int | None = None
    ) -> answers.Prediction:
        """Read one digit: a picture's path, bytes, or an open file. `model` asks another one than that in service.

        `explain` is a digit: the answer says what speaks for and against it.
        """
        return self._send(calls.predict(picture, model, preview, explain))

    def predict_many(self, pictures: Sequence[Picture]) -> list[answers.Prediction | Refused]:
        """Read a digit in each of up to 256 pictures, 700 kB in all. What cannot be read has its error in the list."""
        return calls.results(self._send(calls.predict_many(pictures)))

    def read_number(self, picture: Picture, *, model: int | None = None) -> answers.Number:
        """Read a line of 1 to 20 digits."""
        return self._send(calls.read_number(picture, model))

    def correct(self, picture: Picture, label: int | None) -> answers.Correction:
        """Say which digit a picture shows; None: no digit. The same again changes nothing."""
        return self._send(calls.correct(picture, label))

    def undo(self, correction: answers.Correction) -> None:
        """Take back a new correction, within an hour."""
        self._send(calls.undo(correction))

    def train(self, preset: str | None = None, **parameters: Any) -> int:
        """Start a run, and return its number; without a preset, one of `original`, or of the recipe of `from_run`.

        `parameters`: epochs, batch_size, samples, validation_samples, seed, from_run, name, notes, tags, ... With
        `queue=True` it waits for other runs to end.
        """
        return (self.request_run(preset, **parameters)).run

    def request_run(self, preset: str | None = None, **parameters: Any) -> answers.RequestedRun:
        """Do as `train` does, and return what the server says: whether the run waits, and its place in line."""
        return self._send(calls.train({"preset": preset, **parameters}))

    def stop(self, run: int | None = None) -> int:
        """Stop the active run, or cancel the waiting `run`; nothing if another one is active. Return its number."""
        return (self.request_stop(run)).run

    def request_stop(self, run: int | None = None) -> answers.RunReference:
        """Do as `stop` does, and return what the server says: whether the run stops, or was cancelled."""
        return self._send(calls.stop(run))

    def run(self, number: int) -> answers.Run:
        """Return a run with its epochs."""
        return self._send(calls.run(number))

    def describe(
        self,
        run: int,
        *,
        name: str | None = None,
        notes: str | None = None,
        tags: Sequence[str] | None = None,
        baseline: bool | None = None,
    ) -> answers.Run:
        """Change a run's name, notes or tags, or choose it as the baseline; None changes nothing.

        `tags` replace the run's: an empty list removes them. `baseline=False`: it is no longer the baseline.
        """
        description = {"name": name, "notes": notes, "tags": tags, "baseline": baseline}
        return self._send(calls.describe(run, description))

    def runs(
        self,
        *,
        status: str | None = None,
        tag: str | None = None,
        search: str | None = None,
        baseline: bool | None = None,
        ordering: str | None = None,
    ) -> Iterator[answers.Run]:
        """Yield all runs, newest first, page by page; `search` looks in names, notes, tags, presets and accounts."""
        filters = {"status": status, "tag": tag, "search": search, "baseline": baseline, "ordering": ordering}
        return self._pages(lambda page: calls.runs(page, filters))

    def models(self) -> Iterator[answers.Model]:
        """Yield all models, newest first, page by page."""
        return self._pages(calls.models)

    def model(self, number: int) -> answers.Model:
        """Return a model."""
        return self._send(calls.model(number))

    def activate(self, model: int, *, reason: str = "") -> answers.Model:
        """Put a model into service; `reason` is asked for if it did worse than the one in service."""
        return self._send(calls.activate(model, reason))

    def export(self, model: int, kind: str = "onnx") -> bytes:
        """Return a model's file, `onnx` or `keras`."""
        return self._send(calls.export(model, kind))

    def presets(self) -> list[answers.Preset]:
        """Return all presets."""
        return (self._send(calls.presets())).results

    def watch(self, run: int | None = None) -> Iterator[Event]:
        """Yield a run's events until it has ended, or without a number those of whichever run is the newest, for ever.

        Begins with what has happened. Connects again by itself, and yields every epoch of a run once.
        """
        follower, attempts = Follower(run), watching.Attempts(self.patience)
        if run is not None:
            found = self.run(run)
            while found.status == "waiting":  # no event says that it was cancelled
                sleep(WAITING_SECONDS)
                found = self.run(run)
            for event in follower.catch_up(found):
                yield event
        while not follower.is_over:
            failure: Exception | None = None
            try:
                for event in self._watch_connection(follower, attempts):
                    yield event
            except watching.FAILURES as error:
                failure = error
            if not follower.is_over:
                sleep(attempts.pause(failure))

    def _watch_connection(self, follower: Follower, attempts: watching.Attempts) -> Iterator[Event]:
        """Yield the events of one connection, until it ends or the run does."""
        with connect(watching.address(self.url), **watching.options(self._http.headers)) as socket:
            for text in socket:
                attempts.succeeded()
                for message in decode(text):
                    if behind := follower.behind(message):
                        for event in follower.catch_up(self.run(behind)):
                            yield event
                    for event in follower.take(message):
                        yield event
                if follower.is_over:
                    return

    def _pages(self, call_for: calls.PageCall[T]) -> Iterator[T]:
        """Yield what stands on all pages; `call_for` takes a page's number."""
        for page in count(1):
            found = self._send(call_for(page))
            for each in found.results:
                yield each
            if not found.next:
                return

    def _send(self, call: Call[T]) -> T:
        """Send a request, again where that helps, and return the answer. Raises DigitsError."""
        end = time.monotonic() + self.patience
        for attempt in count():
            error: Busy | Unreachable
            try:
                return call.read(self._http.send(call.request(self._http)))
            except Busy as refused:
                error, pause = refused, calls.pause(attempt, refused.retry_after)
                if not (call.is_repeatable or refused.did_nothing):
                    raise
            except httpx.DecodingError as failure:
                raise UnknownAnswer(f"{self.url}: {failure}") from failure
            except httpx.RequestError as failure:
                error, pause = Unreachable(f"{self.url}: {failure or type(failure).__name__}"), calls.pause(attempt)
                if not (call.is_repeatable or isinstance(failure, httpx.ConnectError)):
                    raise error from failure
            if time.monotonic() + pause > end:
                raise error
            sleep(pause)
        raise AssertionError  # the loop has no end
