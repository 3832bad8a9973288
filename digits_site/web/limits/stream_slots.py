"""Limit the open streams (WebSockets and event streams) of an address and of the process.

Streams live in one process (daphne), so it counts alone. With several, each counts its own.
"""

from collections import Counter

from django.conf import settings

from digits_site.web.asgi import Application, Receive, Scope, Send
from digits_site.web.errors import AllStreamsTaken, ApiError, TooManyStreams
from digits_site.web.limits.client_address import scope_client_address

_open: Counter[str] = Counter()  # streams by address; used in the thread of the event loop only


class StreamSlots:
    """ASGI middleware that grants each stream a slot for as long as it lasts.

    Without one, `scope["stream_refusal"]` is the error with which the application refuses, in its own protocol.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = scope_client_address(scope)
        if refusal := refusal_of(address):
            await self.application({**scope, "stream_refusal": refusal}, receive, send)
            return
        _open[address] += 1
        try:
            await self.application(scope, receive, send)
        finally:
            _open[address] -= 1
            if not _open[address]:
                del _open[address]


def refusal_of(address: str) -> type[ApiError] | None:
    """Return which limit one more stream of this address would pass."""
    if 0 < settings.STREAMS_PER_ADDRESS <= _open[address]:
        return TooManyStreams
    if 0 < settings.STREAMS_TOTAL <= _open.total():
        return AllStreamsTaken
    return None
