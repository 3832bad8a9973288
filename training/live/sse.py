"""GET /api/progress/: the legacy API's event stream of progress, from the same feed as the WebSocket."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import Error as AnyDatabaseError
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.dateparse import parse_datetime
from django.views.decorators.csrf import csrf_exempt

from digits_site.web import errors
from digits_site.web.error_responses import error_response
from training.live import events
from training.live.broadcast import cached_percentage
from training.live.feed import feed
from training.models import ACTIVE, TrainingRun

SILENCE_SECONDS = 0.9  # legacy clients give up after 5 s of silence; the contract promises 1 s
PACE_SECONDS = 0.2
END_ID = re.compile(r"\d+-end")  # the id of a closing message; others are the run and its last finished epoch


@csrf_exempt  # a POST gets 405, not 403
async def stream(request: HttpRequest) -> HttpResponseBase:
    """Send progress while the active run lasts, then the closing message."""
    if request.method != "GET":
        message = f'Method "{request.method}" not allowed.'
        return error_response(errors.MethodNotAllowed(message, headers={"Allow": "GET"}), request)
    if not isinstance(request, ASGIRequest):  # Django under WSGI would buffer the whole run
        return error_response(errors.NoStreams(), request)
    if refusal := request.scope.get("stream_refusal"):  # set by StreamSlots
        return error_response(refusal(), request)
    try:
        await feed().position()
        # A browser's EventSource connects again after the end, until it is answered 204.
        if END_ID.fullmatch(request.headers.get("Last-Event-ID", "")) and not await is_run_active():
            return HttpResponse(status=204)
    except AnyDatabaseError:
        return error_response(errors.DatabaseUnavailable(), request)
    response = StreamingHttpResponse(messages(), content_type="text/event-stream")
    response["Cache-Control"] = "no-cache"
    response["X-Accel-Buffering"] = "no"
    return response


async def messages() -> AsyncIterator[str]:
    """Yield the stream's messages: progress of the run that is active now, then how it ended."""
    async with feed().join() as viewer:
        updates = aiter(viewer)
        run = (await anext(updates))["run"]
        if run is None:
            yield as_message("0-end", {"event": "close", "reason": "completed"})
            return
        state = StreamState(run)
        if not state.closing:
            state.percentage = await percentage_of(run)
        sent_at = float("-inf")
        loop, waiting = asyncio.get_running_loop(), asyncio.ensure_future(anext(updates))
        try:
            while not state.closing:
                await asyncio.wait({waiting}, timeout=max(0.0, sent_at + SILENCE_SECONDS - loop.time()))
                if waiting.done():
                    message = waiting.result()
                    waiting = asyncio.ensure_future(anext(updates))
                    if message["type"] == "activated":  # the legacy API knows no such event
                        continue
                    state.apply(message)
                    if message["type"] != "epoch" and loop.time() - sent_at < PACE_SECONDS:
                        continue  # epochs are always sent, however soon the next one follows
                if not state.closing:
                    sent_at = loop.time()
                    progress = events.progress(run["max_epochs"], state.percentage, state.last_epoch)
                    yield as_message(f"{state.run}-{state.epoch}", progress)
            yield as_message(f"{state.run}-end", state.closing)
        finally:
            waiting.cancel()


class StreamState:
    """One run's progress, kept up to date by its events."""

    def __init__(self, run: dict[str, Any]) -> None:
        self.run, self.percentage = run["id"], 0.0
        self.last_epoch: Mapping[str, Any] | None = None
        self.closing: dict[str, Any] = {}  # the last message, once the run has ended
        self.apply({"type": "snapshot", "run": run})

    @property
    def epoch(self) -> int:
        """The last finished epoch, or 0."""
        return int(self.last_epoch["epoch"]) if self.last_epoch else 0

    def apply(self, message: events.Event) -> None:
        """Take in a snapshot or an event, of this run or of a later one."""
        kind, run = message["type"], message["run"]
        if (run["id"] if kind == "snapshot" else run) != self.run:
            self.close("interrupted")  # a newer run began; the end of this one was missed
        elif kind == "snapshot":
            self.last_epoch = run["epochs"][-1] if run["epochs"] else None
            if run["status"] not in ACTIVE:
                self.close(run["status"])
        elif kind == "batch":
            self.percentage = 100 * message["step"] / message["steps"]
        elif kind == "epoch":
            self.last_epoch, self.percentage = message, 100.0  # its last batch event may have been thinned out
        elif kind in events.ENDINGS:
            self.close(kind, **{k: v for k, v in message.items() if k not in {"type", "seq", "time", "run"}})

    def close(self, reason: str, **details: Any) -> None:
        self.closing = {"event": "close", "reason": reason, "run": self.run, **details}


async def percentage_of(run: dict[str, Any]) -> float:
    """Return the cached percentage of a run as its snapshot represents it."""
    queued_at = parse_datetime(run["queued_at"])
    assert queued_at is not None
    return await sync_to_async(cached_percentage)(run["id"], queued_at, len(run["epochs"]), run["max_epochs"])


@sync_to_async
def is_run_active() -> bool:
    return TrainingRun.objects.active().exists()


def as_message(message_id: str, data: dict[str, Any]) -> str:
    return f"id: {message_id}\ndata: {json.dumps(data)}\n\n"
