"""A client of the live WebSocket that keeps what it is sent."""

import json
import threading
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.support.stack import PATIENCE_SECONDS, eventually


class Watcher:
    """Its view of the runs is what the contract tells clients to make of the messages."""

    def __init__(self, url: str, **options: Any) -> None:
        self.messages: list[dict[str, Any]] = []
        self.epochs: dict[int, list[int]] = {}
        self.ended: dict[int, str] = {}
        self.socket = connect(url, **options)
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()
        eventually(lambda: self.messages, PATIENCE_SECONDS, "the first snapshot")

    def listen(self) -> None:
        try:
            for frame in self.socket:
                self.take(json.loads(frame))
        except ConnectionClosed:
            pass

    def take(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        if message["type"] == "snapshot" and message["run"]:
            run = message["run"]
            self.epochs[run["id"]] = [e["epoch"] for e in run["epochs"]]
            if run["finished_at"]:
                self.ended[run["id"]] = run["status"]
        elif message["type"] == "epoch":
            self.epochs.setdefault(message["run"], []).append(message["epoch"])
        elif message["type"] in {"completed", "interrupted", "error"}:
            self.ended[message["run"]] = message["type"]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [m for m in self.messages if m["type"] == kind]

    def wait_for_end(self, run: int, seconds: float = PATIENCE_SECONDS) -> str:
        return eventually(lambda: self.ended.get(run, ""), seconds, f"the end of run {run} at a viewer")

    def close(self) -> None:
        self.socket.close()
