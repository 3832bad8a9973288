"""Drawings at a steady rate, whatever the server does, and switches of the model meanwhile."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from benchmarks._serving import drawings
from tests.support.stack import Stack

WAITING = 64  # requests under way at once, before a due one has to wait; its latency counts from when it was due

# The same network under another name in the file: other bytes, so another version. It answers the same digits, but less
# surely, so that an answer shows which of the two gave it.
PUBLISH = """
import onnx
from io import BytesIO
from django.contrib.auth.models import User
from digits_site.accounts.models import AccessToken
from recognition import registry
from recognition.models import Activation
first = Activation.current().model
network = onnx.load(BytesIO(first.file.read()))
network.producer_name = "another version"
second = registry.publish(network.SerializeToString(), test_accuracy=first.test_accuracy,
    temperature=2 * first.temperature, uncertain_below=first.uncertain_below)
operator = User.objects.create_superuser("operator")
print("published", first.pk, second.pk, AccessToken.objects.create(operator, name="switching", scopes=["activate"])[1])
"""


@dataclass(frozen=True)
class Versions:
    """Two published versions, the first one in service, and the token of an account that may switch."""

    ids: tuple[int, int]
    token: str

    @classmethod
    def published(cls, stack: Stack) -> Versions:
        said = stack.manage("shell", "-c", PUBLISH).split()
        first, second, token = said[said.index("published") + 1 :][:3]
        return cls((int(first), int(second)), token)


@dataclass(frozen=True)
class Answer:
    """One request: the digit drawn; when it was due, sent and answered (seconds); its status, 0 where none came."""

    digit: int
    due: float
    sent: float
    ended: float
    status: int
    model: int | None  # the version it names
    confidence: float | None


@dataclass(frozen=True)
class Switch:
    """One switch: when it was asked for and confirmed (seconds), and the version it replaced."""

    asked: float
    confirmed: float
    old: int


class Caller:
    """One kept connection for each thread."""

    def __init__(self, port: int, token: str = "") -> None:
        self.port, self.local = port, threading.local()
        self.headers = {"Content-Type": "application/json"} | ({"Authorization": f"Token {token}"} if token else {})

    def post(self, path: str, body: bytes) -> tuple[int, Any]:
        """(status, JSON); 0 and None where the connection broke."""
        if getattr(self.local, "connection", None) is None:
            self.local.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            self.local.connection.request("POST", path, body, self.headers)
            answer = self.local.connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            self.local.connection.close()
            self.local.connection = None
            return 0, None


def run(port: int, versions: Versions, rate: float, seconds: float, every: float) -> tuple[list[Answer], list[Switch]]:
    """Every request and every switch. Raises AssertionError where a switch is refused."""
    ended = threading.Event()
    switches: list[Switch] = []
    with ThreadPoolExecutor(WAITING + 1) as threads:
        switching = threads.submit(switch, Caller(port, versions.token), versions, every, ended, switches)
        caller = Caller(port)
        asked = [threads.submit(draw, caller, number, due) for number, due in timetable(rate, seconds)]
        answers = [one.result() for one in asked]
        ended.set()
        switching.result()
    return answers, switches


def timetable(rate: float, seconds: float) -> Iterator[tuple[int, float]]:
    """(number, when it is due) of every request, each at its time."""
    began = time.perf_counter()
    for number in range(int(rate * seconds)):
        due = began + number / rate
        time.sleep(max(0.0, due - time.perf_counter()))
        yield number, due


def draw(caller: Caller, number: int, due: float) -> Answer:
    digit = number % 10
    body = json.dumps({"drawing": drawings.data_url(drawings.page_png(digit))}).encode()
    sent = time.perf_counter()
    status, said = caller.post("/api/drawing/", body)
    ended, said = time.perf_counter(), said if isinstance(said, dict) else {}
    return Answer(digit, due, sent, ended, status, said.get("model"), said.get("confidence"))


def switch(caller: Caller, versions: Versions, every: float, ended: threading.Event, switches: list[Switch]) -> None:
    """Put the other version into service again and again, until the requests have ended."""
    old, new = versions.ids
    while not ended.wait(every):
        asked = time.perf_counter()
        status, said = caller.post(f"/api/models/{new}/activate/", b"{}")
        assert status == 200, f"a switch was refused: {status} {said}"
        switches.append(Switch(asked, time.perf_counter(), old))
        old, new = new, old
