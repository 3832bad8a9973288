"""What happened in a storm: records in the order of their time, kept in memory and as JSON lines."""

import json
import threading
import time
from bisect import bisect_right
from collections import defaultdict
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class History:
    """Records are dictionaries with `t`, seconds on the machine's monotonic clock since the storm began, and `kind`."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("w")
        self._lock = threading.Lock()
        self.began = time.monotonic()
        self.records: list[Record] = []

    def now(self) -> float:
        return round(time.monotonic() - self.began, 3)

    def add(self, kind: str, **values: Any) -> None:
        with self._lock:
            record = {"t": self.now(), "kind": kind, **values}
            self.records.append(record)
            self._file.write(json.dumps(record) + "\n")

    def close(self) -> None:
        self._file.close()


class Lives:
    """Every process's states in order: up, paused, down."""

    def __init__(self, history: list[Record]) -> None:
        self.changes: dict[str, list[tuple[float, str]]] = defaultdict(list)
        for record in of_kind("life", history):
            self.changes[record["process"]].append((record["t"], record["state"]))

    def up_through(self, process: str, first: float, last: float) -> bool:
        """Whether it was up, neither killed nor asleep, from `first` to `last`."""
        changes = self.changes[process]
        at = bisect_right(changes, (first, "~"))
        began_up = at > 0 and changes[at - 1][1] == "up"
        return began_up and not any(first < t <= last and state != "up" for t, state in changes)

    def any_up_through(self, kind: str, first: float, last: float) -> bool:
        return any(self.up_through(name, first, last) for name in list(self.changes) if name.startswith(kind))


def of_kind(kind: str, history: list[Record]) -> list[Record]:
    return [record for record in history if record["kind"] == kind]


def final_runs(history: list[Record]) -> dict[int, Record]:
    """Every run by its id, as it is when all is over."""
    return {run["id"]: run for record in of_kind("end", history) for run in record["runs"]}
