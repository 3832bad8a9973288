"""The web server with the Procfile's options and room for few streams."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from tests.support.ports import wait_for_port
from tests.support.stack import ROOT, Stack
from training.live import consumers

PER_ADDRESS, TOTAL = 3, 5


class AsDeployed(Stack):
    """daphne with the options of the Procfile; no worker, so a run that is asked for stays queued."""

    def start(self) -> None:
        self.start_redis()
        self.prepare()
        self.start_web()

    def start_web(self) -> None:
        line = re.search(r"^web: .* daphne (.*)$", (ROOT / "Procfile").read_text(), re.M)
        assert line
        options = line[1].replace("${HOST:-127.0.0.1}", "127.0.0.1").replace("${PORT:-8000}", str(self.port))
        self.launch("web", "daphne", *options.split())
        wait_for_port(self.port)


@contextmanager
def running_limited(folder: Path) -> Iterator[Stack]:
    """With a queued run, so that event streams last."""
    stack = AsDeployed(folder, STREAMS_PER_ADDRESS=str(PER_ADDRESS), STREAMS_TOTAL=str(TOTAL))
    try:
        stack.start()
        assert stack.train() == 2
        yield stack
    finally:
        stack.close()


def is_served(client: ClientConnection) -> bool:
    """Whether the first thing said is a snapshot; False when it is the documented goodbye."""
    try:
        return bool(json.loads(client.recv(10))["type"] == "snapshot")
    except ConnectionClosed:
        if client.close_code != consumers.TOO_MANY_STREAMS:
            raise
        return False
