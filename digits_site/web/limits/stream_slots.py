"""How many streams one address, and all addresses together, may hold open: WebSockets and event streams of a process.

Streams live in one process (daphne), so it counts alone. With several of them each has its own places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

from django.conf import settings

from digits_site.web.limits.client_address import address_of_scope

Place = Literal["given", "address_full", "all_taken"]
GIVEN: Place = "given"
Application = Callable[[dict[str, Any], Callable[..., Any], Callable[..., Any]], Awaitable[None]]
_held: Counter[str] = Counter()  # of this process; touched in the thread of its event loop alone


class Places:
    """An ASGI application of streams. Each has its place for as long as it lasts, or is told that there is none.

    Whoever answers reads `scope["place"]` and refuses in the words of its protocol: a refusal needs no place.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        address = address_of_scope(scope)
        place = free(address)
        scope = {**scope, "place": place}
        if place != GIVEN:
            await self.application(scope, receive, send)
            return
        _held[address] += 1
        try:
            await self.application(scope, receive, send)
        finally:
            _held[address] -= 1
            if not _held[address]:
                del _held[address]


def free(address: str) -> Place:
    """Whether there is a place for one more stream of this address."""
    if 0 < settings.STREAMS_PER_ADDRESS <= _held[address]:
        return "address_full"
    if 0 < settings.STREAMS_TOTAL <= _held.total():
        return "all_taken"
    return GIVEN


def place_of(scope: Mapping[str, Any]) -> Place:
    """What this stream was told; an application without `Places` around it has no limits."""
    place: Place = scope.get("place", GIVEN)
    return place
