"""What a client may send on a WebSocket, and what becomes of the one who sends more."""

import json
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from types import SimpleNamespace

import psutil
import pytest
from django.conf import settings
from websockets.sync.client import connect

from digits_site.server.options import DEFAULTS
from digits_site.web.limits.token_bucket import TOO_MANY_FRAMES, TokenBucket
from tests.support.attackers import UPGRADE
from tests.support.limited import is_served
from tests.support.stack import ROOT, Stack
from tests.support.wire import read_all
from training.live import consumers

LARGEST, LARGEST_MESSAGE = 4096, 131_072
MIB = 2**20
pytestmark = pytest.mark.stack


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


@pytest.fixture
def client(service: Stack) -> Iterator[socket.socket]:
    """A WebSocket of which every byte is ours to choose. It costs the server little memory, and others nothing."""
    web = psutil.Process(service.processes["web"].pid)
    before = web.memory_info().rss
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as client:
        client.sendall(UPGRADE)
        assert b" 101 " in client.recv(4096)
        yield client
    assert service.http.get("/healthz").status_code == 200
    assert web.memory_info().rss - before < 20 * MIB
    assert "Traceback" not in service.log("web"), service.log("web")[-3000:]


def goodbye(client: socket.socket) -> int | None:
    """The code of the close frame that ends what the server says; None when it just hangs up."""
    said = read_all(client)
    while len(said) >= 2:
        start, size = 2, said[1]
        if size == 126:
            start, size = 4, int.from_bytes(said[2:4], "big")
        if said[0] & 15 == 8:
            return int.from_bytes(said[start : start + 2], "big")
        said = said[start + size :]
    return None


def test_a_frame_too_large_is_refused_by_its_head(service: Stack, client: socket.socket) -> None:
    """Before a byte of what it claims to hold is there."""
    client.sendall(frame(b"", declared=LARGEST + 1))
    assert goodbye(client) == 1009
    with connect(service.ws_url) as largest:
        assert is_served(largest)
        largest.send("[" * LARGEST)
        assert json.loads(largest.recv(10))["type"] == "error_frame"


def test_a_hundred_megabytes_are_not_kept(client: socket.socket) -> None:
    client.sendall(frame(b"", declared=100 * MIB))
    with suppress(ConnectionError, TimeoutError):  # hung up on, as it should be
        for _ in range(100):
            client.sendall(b"x" * MIB)


def test_a_message_in_many_frames_is_as_bounded(client: socket.socket) -> None:
    client.sendall(frame(b"ab", last=False))
    client.sendall(frame(b"x" * LARGEST, opcode=0, last=False) * (LARGEST_MESSAGE // LARGEST + 1))
    assert goodbye(client) == 1009


@pytest.mark.parametrize(
    ("first", "repeated"),
    [
        pytest.param(b"", frame(b"{}"), id="messages"),
        pytest.param(b"", frame(b"", opcode=9), id="pings"),
        pytest.param(b"", frame(b"", opcode=10), id="pongs nobody asked for"),
        pytest.param(frame(b"[", last=False), frame(b"", opcode=0, last=False), id="pieces of a message"),
    ],
)
def test_a_flood_of_frames_is_cut(service: Stack, client: socket.socket, first: bytes, repeated: bytes) -> None:
    web = psutil.Process(service.processes["web"].pid)
    spent = sum(web.cpu_times()[:2])
    client.sendall(first + repeated * 100_000)
    assert goodbye(client) == TOO_MANY_FRAMES
    assert service.http.get("/healthz").status_code == 200
    assert sum(web.cpu_times()[:2]) - spent < 1.5


def test_who_talks_no_faster_than_allowed_is_heard_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    now = count()
    monkeypatch.setattr("digits_site.web.limits.token_bucket.time", SimpleNamespace(monotonic=lambda: next(now) / 5))
    allowance = TokenBucket(rate=5)
    assert all(allowance.consume() for _ in range(1000)), "five a second"
    allowance = TokenBucket(rate=4)
    heard = [allowance.consume() for _ in range(1000)]
    assert heard.index(False) == pytest.approx(78, abs=4), "the burst is used up"


def test_the_limits_are_in_the_documents() -> None:
    text = (ROOT / "docs" / "asyncapi.yaml").read_text()
    for said in (
        f"{LARGEST // 1024} KiB",
        f"{LARGEST_MESSAGE // 1024} KiB",
        f"{settings.STREAM_FRAMES_PER_SECOND:.0f} frames a second",
        f"one ping every {1 / consumers.PINGS_PER_SECOND:.0f} seconds",
    ):
        assert said in text
    assert f"all together {settings.STREAMS_TOTAL:,}" in text
    assert DEFAULTS["websocket_max_message_size"] == LARGEST_MESSAGE
    assert DEFAULTS["websocket_max_frame_size"] == LARGEST
