"""How the live events' WebSocket is reached, and reached again. No network here."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from digits.calls import pause, retry_after
from digits.errors import Unreachable, refusal

OPEN_SECONDS, PING_SECONDS = 10, 15
ENOUGH_BYTES = 2**22  # of a message: a snapshot of a run of 100 epochs is 20 kB
FAILURES = OSError, WebSocketException, asyncio.TimeoutError  # the last is no OSError in Python 3.10
FINAL = {400, 401, 403, 404}  # of a handshake: the next will be refused too
REASONS = {
    1012: "the server is shutting down",
    4008: "too many frames were sent",
    4013: "the server's database is away",
    4029: "too many streams are open",
}


def address(url: str) -> str:
    """Return the WebSocket's address, for an address of `calls.address`."""
    return "ws" + url.removeprefix("http") + "/ws/training/"


def options(headers: Mapping[str, str]) -> dict[str, Any]:
    """Return websockets' options: who asks, and that a dead network is noticed."""
    sent = {"Authorization": headers["Authorization"]} if "Authorization" in headers else {}
    timing = {"open_timeout": OPEN_SECONDS, "ping_interval": PING_SECONDS, "ping_timeout": OPEN_SECONDS}
    return {"additional_headers": sent, "max_size": ENOUGH_BYTES, **timing}


class Attempts:
    """Counts failed connections in a row, and gives up after `patience` seconds of them."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self.succeeded()

    def succeeded(self) -> None:
        """Say that a message came."""
        self._count, self._first_failure = 0, 0.0

    def pause(self, failure: Exception | None) -> float:
        """Return the seconds to wait. Raises Refused or Unreachable when that is pointless, or has been for long."""
        now = time.monotonic()
        self._first_failure = self._first_failure or now
        self._count += 1
        response = failure.response if isinstance(failure, InvalidStatus) else None
        seconds = pause(self._count - 1, retry_after(response.headers.get("Retry-After")) if response else None)
        is_late = now + seconds - self._first_failure > self._patience
        if response and (is_late or response.status_code in FINAL):
            raise refusal(response.status_code, {"message": "The server refused the WebSocket."}, seconds)
        if is_late:
            raise Unreachable(f"No events: {reason_of(failure)}")
        return seconds


def reason_of(failure: Exception | None) -> str:
    """Return why a connection failed or ended."""
    if not isinstance(failure, ConnectionClosed):
        return str(failure or "the server closed the connection")
    code = failure.rcvd.code if failure.rcvd else 1006
    return REASONS.get(code, f"the connection was closed with code {code}")
