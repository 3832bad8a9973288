"""Drawings at a steady rate from an address of their own: ``python -m benchmarks._attack.honest PORT RATE``.

A process of its own, so that what attacks does not slow what measures. Asks until its input ends; prints as JSON when
each request was due (seconds, this machine's monotonic clock), how long its answer took from then, and its status.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks._serving import drawings

ADDRESS = "127.0.0.2"  # to nginx, another client than the attackers
THREADS = 64
PATIENCE = 30.0  # seconds
Asked = tuple[float, float, int]  # due, took, status; 0 where no answer came


class Visitors:
    """The process that asks, seen from the one that measures."""

    def __init__(self, port: int, rate: float) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks._attack.honest", str(port), str(rate)],
            cwd=Path(__file__).resolve().parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def leave(self) -> list[Asked]:
        """What they saw, in the order of asking."""
        said, _ = self.process.communicate("")
        return [(due, took, status) for due, took, status in json.loads(said)]


def main() -> None:
    port, rate = int(sys.argv[1]), float(sys.argv[2])
    leaving = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), leaving.set()), daemon=True).start()
    local = threading.local()
    with ThreadPoolExecutor(THREADS) as threads:
        asked, due = [], time.monotonic()
        while not leaving.is_set():
            asked.append(threads.submit(ask, local, port, len(asked) % 10, due))
            due += 1 / rate
            time.sleep(max(0.0, due - time.monotonic()))
        print(json.dumps([one.result() for one in asked]))


def ask(local: threading.local, port: int, digit: int, due: float) -> Asked:
    body = json.dumps({"drawing": drawings.data_url(drawings.page_png(digit))}).encode()
    status = post(local, port, body)
    return due, time.monotonic() - due, status


def post(local: threading.local, port: int, body: bytes) -> int:
    """Over this thread's kept connection."""
    if getattr(local, "connection", None) is None:
        local.connection = http.client.HTTPConnection(
            "127.0.0.1", port, timeout=PATIENCE, source_address=(ADDRESS, 0)
        )  # fmt: skip
    try:
        local.connection.request("POST", "/api/drawing/", body, {"Content-Type": "application/json"})
        answer = local.connection.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        local.connection.close()
        local.connection = None
        return 0


if __name__ == "__main__":
    main()
