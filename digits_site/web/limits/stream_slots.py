"""Limit the open streams (WebSockets and event streams) of an address and of the process.

Streams live in one process (daphne), so it counts alone. With several, each counts its own.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

from django.conf import settings

from digits_site.web.asgi import Application, Receive, Scope, Send
from digits_site.web.limits.client_address import scope_client_address

Slot = Literal["granted", "address_full", "all_taken"]
GRANTED: Slot = "granted"
_open: Counter[str] = Counter()  # streams by address; used in the thread of the event loop only


class StreamSlots:
    """ASGI middleware that grants each stream a slot for as long as it lasts.

    The application reads it with `slot_of(scope)`, and refuses in its own protocol: a refusal needs no slot.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = scope_client_address(scope)
        slot = request_slot(address)
        scope = {**scope, "stream_slot": slot}
        if slot != GRANTED:
            await self.application(scope, receive, send)
            return
        _open[address] += 1
        try:
            await self.application(scope, receive, send)
        finally:
            _open[address] -= 1
            if not _open[address]:
                del _open[address]


def request_slot(address: str) -> Slot:
    """Return GRANTED, or which limit one more stream of this address would pass."""
    if 0 < settings.STREAMS_PER_ADDRESS <= _open[address]:
        return "address_full"
    if 0 < settings.STREAMS_TOTAL <= _open.total():
        return "all_taken"
    return GRANTED


def slot_of(scope: Mapping[str, Any]) -> Slot:
    """Return the stream's slot; without `StreamSlots` there are no limits."""
    slot: Slot = scope.get("stream_slot", GRANTED)
    return slot
