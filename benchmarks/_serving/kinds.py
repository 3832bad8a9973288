"""The kinds of requests that the servers are measured by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks._serving import drawings
from benchmarks._serving.servers import Server

BATCH = 32


@dataclass(frozen=True)
class Kind:
    """Requests of one kind: one for every digit or, in batches, one for every digit that a batch may begin with."""

    title: str
    png: Callable[[int], bytes]
    size: int = 1  # drawings a request

    def drawings(self, first: int) -> list[str]:
        """The data URLs of the request that begins with this digit."""
        return [drawings.data_url(self.png((first + number) % 10)) for number in range(self.size)]

    def requests(self, server: Server, port: int) -> list[bytes]:
        return [server.request(port, self.drawings(first)) for first in drawings.DIGITS]

    def weight(self) -> float:
        """Kilobytes of a request's JSON, on average."""
        bodies = [sum(map(len, self.drawings(first))) + 14 for first in drawings.DIGITS]
        return sum(bodies) / len(bodies) / 1000


KINDS = {
    "canvas": Kind("A 280x280 colour PNG", drawings.colour_png),
    "page": Kind("The page's small PNG", drawings.page_png),
    "small": Kind("A 28x28 PNG", drawings.small_png),
    "canvas-32": Kind(f"{BATCH} colour PNGs of 280x280 in one request", drawings.colour_png, BATCH),
    "page-32": Kind(f"{BATCH} of the page's small PNGs in one request", drawings.page_png, BATCH),
}
