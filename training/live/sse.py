"""GET /api/progress/: the original's event stream of progress, fed as the WebSocket is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from digits_site.web import errors
from digits_site.web.error_responses import error_response
from digits_site.web.limits.stream_slots import GIVEN, place_of
from training.live import broadcast, events
from training.live.feed import feed
from training.models import ACTIVE

SILENCE_SECONDS = 0.9  # a client gives up after five silent seconds; the contract says one
PACE_SECONDS = 0.2


SLOT_ERRORS = {"address_full": errors.TooManyStreams, "all_taken": errors.AllStreamsTaken}


@csrf_exempt  # so that a POST is told 405
async def stream(request: HttpRequest) -> HttpResponseBase:
    """Progress objects while the run that is active now is active; then the message that closes."""
    if request.method != "GET":
        message = f'Method "{request.method}" not allowed.'
        return error_response(errors.MethodNotAllowed(message, headers={"Allow": "GET"}), request)
    if not isinstance(request, ASGIRequest):  # Django would gather the whole run's stream first, and hold a thread
        return error_response(errors.NoStreams(), request)
    place = place_of(request.scope)
    if place != GIVEN:
        return error_response(SLOT_ERRORS[place](), request)
    if not await feed().database_answers():
        return error_response(errors.DatabaseUnavailable(), request)
    response = StreamingHttpResponse(messages(), content_type="text/event-stream")
    response["Cache-Control"] = "no-cache"
    response["X-Accel-Buffering"] = "no"
    return response


async def messages() -> AsyncIterator[str]:
    async with feed().join() as viewer:
        news = aiter(viewer)
        first = (await anext(news))["run"]
        if first is None or first["status"] not in ACTIVE:
            reason = first["status"] if first else "completed"
            yield data({"event": "close", "reason": reason, **({"run": first["id"]} if first else {})})
            return
        state = State(first, await percentage_of(first))
        yield data(state.shown())
        async for closing in follow(news, state):
            yield data(closing or state.shown())


async def follow(news: AsyncIterator[events.News], state: State) -> AsyncIterator[dict[str, Any] | None]:
    """None when the progress is to be sent (again); the closing message last, unless this process ends first."""
    loop = asyncio.get_running_loop()
    waiting: asyncio.Future[Any] = asyncio.ensure_future(anext(news, None))
    sent = loop.time()
    try:
        while state.reason is None:
            await asyncio.wait({waiting}, timeout=max(0.0, sent + SILENCE_SECONDS - loop.time()))
            if waiting.done():
                message = waiting.result()
                if message is None:
                    return
                state.take(message)
                waiting = asyncio.ensure_future(anext(news, None))
                if message["type"] != "epoch" and state.reason is None and loop.time() - sent < PACE_SECONDS:
                    continue  # an epoch is shown to all, however soon the next one follows
            if state.reason is None:
                sent = loop.time()
                yield None
        yield state.closing()
    finally:
        waiting.cancel()


class State:
    """The original's progress object of one run, kept up to date by its events."""

    def __init__(self, run: dict[str, Any], percentage: float) -> None:
        self.run, self.percentage = run["id"], percentage
        self.max_epochs = run["max_epochs"]
        self.last = run["epochs"][-1] if run["epochs"] else None
        self.reason: str | None = None
        self.more: dict[str, Any] = {}

    def take(self, message: events.Event) -> None:
        """A snapshot or an event, of this run or of one after it."""
        kind = message["type"]
        run = message["run"]["id"] if kind == "snapshot" else message["run"]
        if run != self.run:
            self.reason = self.reason or "interrupted"  # a newer run: this one has ended, unseen
        elif kind == "snapshot":
            self.last = message["run"]["epochs"][-1] if message["run"]["epochs"] else None
            if message["run"]["status"] not in ACTIVE:
                self.reason = message["run"]["status"]
        elif kind == "batch":
            self.percentage = 100 * message["step"] / message["steps"]
        elif kind == "epoch":
            self.last, self.percentage = message, 100.0  # the news of its last batch may have been left out
        elif kind in events.ENDINGS:
            self.reason = kind
            self.more = {k: v for k, v in message.items() if k not in {"type", "seq", "time", "run"}}

    def shown(self) -> dict[str, Any]:
        return events.progress(self.max_epochs, self.percentage, self.last)

    def closing(self) -> dict[str, Any]:
        return {"event": "close", "reason": self.reason, "run": self.run, **self.more}


async def percentage_of(run: dict[str, Any]) -> float:
    return await sync_to_async(broadcast.percentage)(run["id"], len(run["epochs"]), run["max_epochs"])


def data(message: dict[str, Any]) -> str:
    return f"data: {json.dumps(message)}\n\n"
