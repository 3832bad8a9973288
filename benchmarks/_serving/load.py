"""A load of HTTP requests over kept connections: ``python -m benchmarks._serving.load < specification``.

A process of its own, on a core of its own, which must never be what is measured: requests are bytes made beforehand,
one loop waits for all sockets, and of an answer only its length and status are looked at. Imports nothing but the
standard library. The specification and the result are JSON; see `Load` and `drive`.
"""

from __future__ import annotations

import base64
import json
import re
import selectors
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle
from pathlib import Path

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
EVENT = re.compile(rb'"event_id": *"(\w+)"')
SILENCE = 60  # seconds without any answer after which the server is given up


@dataclass
class Measured:
    """What came back. `latencies` are seconds, from the first byte sent to the last one received."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)

    def count(self, status: str, seconds: float) -> None:
        if status == "200":
            self.latencies.append(seconds)
        else:
            self.failures[status] += 1


class Connection:
    """One request at a time over one socket, which is opened anew where the server closes it."""

    def __init__(self, load: Load, selector: selectors.BaseSelector) -> None:
        self.port, self.follow, self.selector = load.port, load.follow, selector
        self.socket: socket.socket | None = None
        self.answer = bytearray()
        self.began = 0.0

    def ask(self, request: bytes) -> None:
        self.began = time.perf_counter()
        self._send(request)

    def _send(self, request: bytes) -> None:
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=SILENCE)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(self.socket, selectors.EVENT_READ, self)
        self.answer.clear()
        self.socket.sendall(request)

    def receive(self) -> str | None:
        """Read what is there: None while the answer is not whole, then its status."""
        assert self.socket is not None, "a request is under way"
        data = self.socket.recv(1 << 18)
        self.answer += data
        status = status_of(self.answer, ended=not data)
        if status is None:
            return None
        if not data or CLOSES.search(self.answer):
            self.close()
        if self.follow and status == "200" and (event := EVENT.search(self.answer)):
            path = self.follow + event[1].decode()
            self._send(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode())
            return None
        return status

    def close(self) -> None:
        if self.socket is not None:
            self.selector.unregister(self.socket)
            self.socket.close()
            self.socket = None


def status_of(answer: bytearray, *, ended: bool) -> str | None:
    """The status of an answer that is whole, else None; `ended`: nothing more will come."""
    head = answer.find(b"\r\n\r\n")
    if head >= 0:
        length = LENGTH.search(answer, 0, head + 2)
        if length and len(answer) >= head + 4 + int(length[1]):
            return answer[9:12].decode()
        if not length and CHUNKED.search(answer, 0, head + 2) and answer.endswith(b"0\r\n\r\n"):
            return answer[9:12].decode()
    return "cut off" if ended else None


def drive(load: Load) -> Measured:
    """Keep every connection busy until time or number of requests is used up, then wait for what is under way."""
    measured, requests, sent, under_way = Measured(), cycle(load.requests), 0, 0
    selector = selectors.DefaultSelector()
    idle = [Connection(load, selector) for _ in range(load.connections)]
    began = time.perf_counter()
    while True:
        while idle and time.perf_counter() - began < load.seconds and (not load.most or sent < load.most):
            idle.pop().ask(next(requests))
            sent, under_way = sent + 1, under_way + 1
        if not under_way:
            break
        ready = selector.select(SILENCE)
        if not ready:
            measured.failures["no answer"] += under_way
            break
        for key, _ in ready:
            if (status := key.data.receive()) is not None:
                measured.count(status, time.perf_counter() - key.data.began)
                idle.append(key.data)
                under_way -= 1
    measured.seconds = time.perf_counter() - began
    return measured


@dataclass(frozen=True)
class Load:
    """Requests to send in turn over a number of connections, for some seconds or until `most` were sent (0: no end).

    `follow`: the beginning of the path where an answer that only names an event is fetched.
    """

    port: int
    requests: Sequence[bytes]
    seconds: float
    connections: int = 16
    most: int = 0
    follow: str = ""


@dataclass(frozen=True)
class Result:
    """One load: answers with status 200, seconds, percentiles in milliseconds; whatever else came, by status."""

    answers: int
    seconds: float
    p50: float
    p99: float
    failures: dict[str, int]


def run(load: Load) -> Result:
    """Drive a load from a process of its own, on the cores that the caller may use at present."""
    specification = asdict(load) | {"requests": [base64.b64encode(request).decode() for request in load.requests]}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks._serving.load"],
        cwd=Path(__file__).resolve().parents[2],
        input=json.dumps(specification),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Result(**json.loads(done.stdout))


def main() -> None:
    specification = json.load(sys.stdin)
    specification["requests"] = [base64.b64decode(request) for request in specification["requests"]]
    measured = drive(Load(**specification))
    times = sorted(measured.latencies) or [0.0]
    p50, p99 = statistics.median(times), times[min(int(len(times) * 0.99), len(times) - 1)]
    print(
        json.dumps(
            asdict(Result(len(measured.latencies), measured.seconds, 1000 * p50, 1000 * p99, dict(measured.failures)))
        )
    )


if __name__ == "__main__":
    main()
