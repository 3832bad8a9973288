"""The web server with room for few streams."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from tests.support.stack import Stack, running
from training.live import consumers

PER_ADDRESS, TOTAL = 3, 5


@contextmanager
def running_limited(folder: Path) -> Iterator[Stack]:
    """With a queued run and no worker, so that event streams last."""
    limits = {"STREAMS_PER_ADDRESS": str(PER_ADDRESS), "STREAMS_TOTAL": str(TOTAL)}
    with running(folder, worker=False, **limits) as stack:
        assert stack.train() == 2
        yield stack


def is_served(client: ClientConnection) -> bool:
    """Whether the first thing said is a snapshot; False when it is the documented goodbye."""
    try:
        return bool(json.loads(client.recv(10))["type"] == "snapshot")
    except ConnectionClosed:
        if client.close_code != consumers.TOO_MANY_STREAMS:
            raise
        return False
