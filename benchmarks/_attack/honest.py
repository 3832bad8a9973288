"""Drawings at a steady rate, from their own addresses: ``python -m benchmarks._attack.honest PORT RATE CERTIFICATE``.

A process of its own, so that what attacks does not slow what measures. Asks until its input ends; prints as JSON when
each request was due (seconds, this machine's monotonic clock), how long its answer took from then, and its status.
"""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks._serving import drawings

VISITORS = 40  # each with an address of its own, so that none asks more often than PREDICT_RATE allows
PATIENCE = 30.0  # seconds
Asked = tuple[float, float, int]  # due, took, status; 0 where no answer came


class Visitors:
    """The process that asks, seen from the one that measures."""

    def __init__(self, port: int, rate: float, certificate: str = "") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks._attack.honest", str(port), str(rate), certificate],
            cwd=Path(__file__).resolve().parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def leave(self) -> list[Asked]:
        """What they saw, in the order of asking."""
        said, _ = self.process.communicate("")
        return [(due, took, status) for due, took, status in json.loads(said)]


class Visitor:
    """One address with one kept connection; asks one thing at a time, what is due meanwhile waits."""

    def __init__(self, number: int, port: int, tls: ssl.SSLContext | None) -> None:
        kept = {"timeout": PATIENCE, "source_address": (f"127.0.0.{2 + number}", 0)}
        self.connection: http.client.HTTPConnection = (
            http.client.HTTPSConnection("localhost", port, context=tls, **kept)
            if tls
            else http.client.HTTPConnection("127.0.0.1", port, **kept)
        )
        self.lock = threading.Lock()

    def ask(self, digit: int, due: float) -> Asked:
        body = json.dumps({"drawing": drawings.data_url(drawings.page_png(digit))}).encode()
        with self.lock:
            status = self.post(body)
            return due, time.monotonic() - due, status

    def post(self, body: bytes) -> int:
        try:
            self.connection.request("POST", "/api/drawing/", body, {"Content-Type": "application/json"})
            answer = self.connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            self.connection.close()  # opened anew by the next request
            return 0


def main() -> None:
    port, rate, certificate = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    tls = ssl.create_default_context(cafile=certificate) if certificate else None
    visitors = [Visitor(number, port, tls) for number in range(VISITORS)]
    leaving = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), leaving.set()), daemon=True).start()
    with ThreadPoolExecutor(2 * VISITORS) as threads:
        asked, due = [], time.monotonic()
        while not leaving.is_set():
            number = len(asked)
            asked.append(threads.submit(visitors[number % VISITORS].ask, number % 10, due))
            due += 1 / rate
            time.sleep(max(0.0, due - time.monotonic()))
        print(json.dumps([one.result() for one in asked]))


if __name__ == "__main__":
    main()
