"""How many streams are open, how much a client may say on one, and what those who are refused are told."""

from __future__ import annotations

import json
import re
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import psutil
import pytest
from django.conf import settings
from playwright.sync_api import expect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.browser import launch_chromium  # noqa: F401
from tests.stack import ROOT, Stack, eventually
from training import consumers
from training.consumers import Allowance

PER_ADDRESS, TOTAL = 3, 5
LARGEST = 131_072
MIB = 2**20
here = pytest.mark.skipif(not Path("/proc").exists(), reason="only Linux answers on the whole of 127.0.0.0/8")
pytestmark = pytest.mark.stack


class AsDeployed(Stack):
    """daphne with the options of the Procfile; no worker, so a run that is asked for stays queued."""

    def start(self) -> None:
        self.start_redis()
        self.prepare()
        self.start_web()

    def start_web(self) -> None:
        from tests.ports import wait_for_port

        line = re.search(r"^web: .* daphne (.*)$", (ROOT / "Procfile").read_text(), re.M)
        assert line
        options = line[1].replace("${HOST:-127.0.0.1}", "127.0.0.1").replace("${PORT:-8000}", str(self.port))
        self.launch("web", "daphne", *options.split())
        wait_for_port(self.port)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    limits = {"STREAMS_PER_ADDRESS": str(PER_ADDRESS), "STREAMS_TOTAL": str(TOTAL)}
    stack = AsDeployed(tmp_path_factory.mktemp("limited"), **limits)
    try:
        stack.start()
        assert stack.train() == 2
        yield stack
    finally:
        stack.close()


def socket_from(service: Stack, host: int) -> ClientConnection:
    """A WebSocket from 127.0.0.`host`."""
    return connect(service.ws_url, source_address=(f"127.0.0.{host}", 0))


def is_served(client: ClientConnection) -> bool:
    """Whether the first thing said is a snapshot; False when it is the documented goodbye."""
    try:
        return bool(json.loads(client.recv(10))["type"] == "snapshot")
    except ConnectionClosed:
        if client.close_code != consumers.TOO_MANY_STREAMS:
            raise
        return False


def asked(service: Stack, host: int) -> httpx.Response:
    """What an event stream from 127.0.0.`host` is answered; it is hung up after its first words."""
    transport = httpx.HTTPTransport(local_address=f"127.0.0.{host}")
    with (
        httpx.Client(transport=transport, timeout=10) as http,
        http.stream("GET", f"{service.url}/api/progress/") as answer,
    ):
        if answer.status_code != 200:
            answer.read()
        return answer


def assert_refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"] == answer.json()["detail"]
    assert int(answer.headers["retry-after"]) > 0


@here
def test_places_are_counted_by_address_and_in_all_and_given_back(service: Stack) -> None:
    with ExitStack() as open_ones:

        def opened(host: int) -> bool:
            client = open_ones.enter_context(socket_from(service, host))
            return is_served(client)

        assert [opened(2) for _ in range(PER_ADDRESS + 1)] == [True] * PER_ADDRESS + [False]
        assert_refused(asked(service, 2), 429, "too_many_streams")
        assert opened(3), "another address has places of its own"
        assert asked(service, 3).status_code == 200
        eventually(lambda: asked(service, 3).status_code == 200, 5, "the place that the event stream gave back")
        eventually(lambda: opened(3), 5, "the last place")
        assert not opened(4)
        assert_refused(asked(service, 4), 503, "busy")
        assert service.http.get("/healthz").status_code == 200
    eventually(lambda: asked(service, 2).status_code == 200, 10, "the places of those who left")
    with ExitStack() as open_ones:
        eventually(lambda: is_served(open_ones.enter_context(socket_from(service, 2))), 10, "a socket")
    assert "Traceback" not in service.log("web")


@here
def test_event_streams_take_places_for_as_long_as_they_last(service: Stack) -> None:
    lines: list[Iterator[str]] = []  # kept: httpx hangs up when one of them goes
    with ExitStack() as open_ones:
        http = open_ones.enter_context(httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.5")))
        for _ in range(PER_ADDRESS):
            stream = open_ones.enter_context(http.stream("GET", f"{service.url}/api/progress/", timeout=10))
            assert stream.status_code == 200
            lines.append(stream.iter_lines())
            assert next(lines[-1]).startswith("data: ")
        assert not is_served(open_ones.enter_context(socket_from(service, 5)))
        other = service.http.post("/api/stop_training/", json={"run": 1})
        assert other.json()["code"] == "run_mismatch", "the limit is for streams alone"
    eventually(lambda: asked(service, 5).status_code == 200, 10, "the places of those who hung up")


@here
def test_those_who_are_refused_again_and_again_take_nothing_from_others(service: Stack) -> None:
    with ExitStack() as open_ones:
        for _ in range(PER_ADDRESS):
            assert is_served(open_ones.enter_context(socket_from(service, 6)))
        for _ in range(50):
            with socket_from(service, 6) as client:
                assert not is_served(client)
        assert is_served(open_ones.enter_context(socket_from(service, 7)))


@here
@pytest.mark.browser
def test_the_page_says_why_it_does_not_watch(service: Stack, chromium: Any) -> None:
    with ExitStack() as open_ones:
        for host in (8, 8, 9, 9, 10):
            assert is_served(open_ones.enter_context(socket_from(service, host)))
        context = chromium.new_context()
        open_ones.callback(context.close)
        page = context.new_page()
        page.goto(f"{service.url}/")
        status = page.locator("[data-connection]")
        expect(status).to_contain_text("Too many pages are watching at once. Trying again in", timeout=15_000)


# --- What a client sends ---


def frame(payload: bytes, opcode: int = 1, last: bool = True, declared: int | None = None) -> bytes:
    """One masked frame (the mask is zero); `declared` is a length that it claims to have."""
    size = len(payload) if declared is None else declared
    first = bytes([(0x80 if last else 0) | opcode])
    if size < 126:
        head = first + bytes([0x80 | size])
    elif size < 65536:
        head = first + b"\xfe" + struct.pack("!H", size)
    else:
        head = first + b"\xff" + struct.pack("!Q", size)
    return head + b"\0\0\0\0" + payload


def upgraded(service: Stack) -> socket.socket:
    """A WebSocket of which every byte is ours to choose; its snapshot is left unread."""
    client = socket.create_connection(("127.0.0.1", service.port), timeout=10)
    client.sendall(
        b"GET /ws/training/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    assert b" 101 " in client.recv(4096)
    return client


def goodbye(client: socket.socket) -> int | None:
    """The code of the close frame that ends what the server says; None when it just hangs up."""
    said = b""
    try:
        while piece := client.recv(65536):
            said += piece
    except ConnectionResetError:
        pass
    finally:
        client.close()
    while len(said) >= 2:
        start, size = 2, said[1]
        if size == 126:
            start, size = 4, int.from_bytes(said[2:4], "big")
        if said[0] & 15 == 8:
            return int.from_bytes(said[start : start + 2], "big")
        said = said[start + size :]
    return None


def memory(service: Stack) -> int:
    return psutil.Process(service.processes["web"].pid).memory_info().rss


def test_a_frame_too_large_is_refused_by_its_head(service: Stack) -> None:
    """Before a byte of what it claims to hold is there."""
    client = upgraded(service)
    client.sendall(frame(b"", declared=LARGEST + 1))
    assert goodbye(client) == 1009
    with connect(service.ws_url) as largest:
        assert is_served(largest)
        largest.send("[" * LARGEST)
        assert json.loads(largest.recv(10))["type"] == "error_frame"


def test_a_hundred_megabytes_are_not_kept(service: Stack) -> None:
    before = memory(service)
    client = upgraded(service)
    client.sendall(frame(b"", declared=100 * MIB))
    piece = b"x" * MIB
    try:
        for _ in range(100):
            client.sendall(piece)
    except (ConnectionError, TimeoutError):
        pass  # hung up on, as it should be
    client.close()
    assert memory(service) - before < 20 * MIB
    assert service.http.get("/healthz").status_code == 200


def test_a_message_in_many_frames_is_as_bounded(service: Stack) -> None:
    before = memory(service)
    client = upgraded(service)
    piece = frame(b"ab", opcode=0, last=False)
    try:
        client.sendall(frame(b"ab", last=False))
        for _ in range(100):
            client.sendall(piece * 1000)
    except (ConnectionError, TimeoutError):
        pass
    else:
        assert goodbye(client) == 1009
    assert memory(service) - before < 20 * MIB


def test_a_flood_of_frames_is_cut_and_costs_others_nothing(service: Stack) -> None:
    before = memory(service)
    client = upgraded(service)
    began = time.monotonic()
    client.sendall(frame(b"{}") * 10_000)
    assert goodbye(client) == consumers.TALKS_TOO_MUCH
    assert service.http.get("/healthz").status_code == 200
    assert time.monotonic() - began < 5
    assert memory(service) - before < 30 * MIB
    assert "Traceback" not in service.log("web")


def test_who_talks_no_faster_than_allowed_is_heard_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    now = count()
    monkeypatch.setattr("training.consumers.time", SimpleNamespace(monotonic=lambda: next(now) / 5))
    allowance = Allowance(rate=5)
    assert all(allowance.spend() for _ in range(1000)), "five a second"
    allowance = Allowance(rate=4)
    heard = [allowance.spend() for _ in range(1000)]
    assert heard.index(False) == pytest.approx(78, abs=4), "the burst is used up"


def test_the_limits_are_in_the_documents() -> None:
    text = (ROOT / "docs" / "asyncapi.yaml").read_text()
    for said in (f"{LARGEST // 1024} KiB", f"{settings.STREAM_FRAMES_PER_SECOND:.0f} frames a second"):
        assert said in text
    assert f"all together {settings.STREAMS_TOTAL:,}" in text
    for name in ("Procfile", "Procfile.scaled"):
        options = re.findall(r"--websocket-max-(?:message|frame)-size (\d+)", (ROOT / name).read_text())
        assert options == [str(LARGEST)] * 2
