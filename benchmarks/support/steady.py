"""Drawings at a steady rate, whatever the server does: ``python -m benchmarks.support.steady PORT RATE ADDRESSES CA``.

A process of its own, so that nothing else slows what measures. It asks until its input ends, then prints every request
as JSON. Each address keeps one connection and asks one thing at a time; the latency counts from when a request was due.
"""

import http.client
import json
import ssl
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from benchmarks.support import drawings
from benchmarks.support.common import ROOT
from tests.support.drawings import data_url

TIMEOUT_SECONDS = 30.0


class Asked(NamedTuple):
    """One request; seconds are of this machine's monotonic clock."""

    digit: int
    due: float
    sent: float
    ended: float
    status: int  # 0 where no answer came
    model: int | None
    confidence: float | None


class Visitors:
    """The process that asks, as seen from the one that measures."""

    def __init__(self, port: int, rate: float, addresses: int = 40, certificate: str = "") -> None:
        command = [sys.executable, "-m", "benchmarks.support.steady", str(port), str(rate), str(addresses), certificate]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def leave(self) -> list[Asked]:
        """Everything they asked, in order."""
        return [Asked(*one) for one in json.loads(self.process.communicate("")[0])]


class Address:
    """One kept connection from an address of its own (Linux answers on all of 127/8)."""

    def __init__(self, number: int, port: int, tls: ssl.SSLContext | None) -> None:
        options: dict[str, Any] = {"timeout": TIMEOUT_SECONDS, "source_address": (f"127.0.0.{2 + number}", 0)}
        self.connection: http.client.HTTPConnection = (
            http.client.HTTPSConnection("localhost", port, context=tls, **options)
            if tls
            else http.client.HTTPConnection("127.0.0.1", port, **options)
        )
        self.lock = threading.Lock()

    def ask(self, digit: int, due: float) -> Asked:
        body = json.dumps({"drawing": data_url(drawings.page_png(digit))}).encode()
        with self.lock:
            sent, status, said = time.monotonic(), 0, {}
            try:
                self.connection.request("POST", "/api/drawing/", body, {"Content-Type": "application/json"})
                answer = self.connection.getresponse()
                status, said = answer.status, json.loads(answer.read())
            except (OSError, http.client.HTTPException, ValueError):
                self.connection.close()  # the next request opens it again
            return Asked(digit, due, sent, time.monotonic(), status, said.get("model"), said.get("confidence"))


def main() -> None:
    port, rate, count, certificate = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    tls = ssl.create_default_context(cafile=certificate) if certificate else None
    addresses, leaving = [Address(number, port, tls) for number in range(count)], threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), leaving.set()), daemon=True).start()
    with ThreadPoolExecutor(2 * count) as threads:
        asked, due = [], time.monotonic()
        while not leaving.is_set():
            number = len(asked)
            asked.append(threads.submit(addresses[number % count].ask, number % 10, due))
            due += 1 / rate
            time.sleep(max(0.0, due - time.monotonic()))
        print(json.dumps([one.result() for one in asked]))


if __name__ == "__main__":
    main()
