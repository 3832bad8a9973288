"""What happened in a storm: records in the order of their time, kept in memory and as JSON lines."""

import json
import threading
import time
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
