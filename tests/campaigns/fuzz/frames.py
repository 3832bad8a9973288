"""What a WebSocket client may send, by a library and by hand, and what comes back."""

import base64
import json
import random
import socket
import struct
from collections import Counter
from contextlib import suppress
from itertools import islice

from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.sync.client import connect

Frame = str | bytes | list[str]
WAIT_SECONDS = 5
MOST_MESSAGES = 25  # on one socket: more than are answered before it is cut
TALKS_TOO_MUCH = 4008
KEY = base64.b64encode(bytes(16)).decode()
# Closed by the server for what was sent: too big, protocol, type, text; talks too much; anything not understood.
PROPER_CLOSES = {1000, 1002, 1003, 1007, 1009, TALKS_TOO_MUCH}
KNOWN_TYPES = {"snapshot", "pong", "error_frame", "queued", "interrupted", "phase", "started", "error"}
OPCODES = (0, 1, 2, 3, 5, 7, 8, 9, 10, 11, 15)
LENGTHS = (0, 1, 125, 126, 127, 65535, 65536)
ODD = (
    "",
    "{",
    "null",
    "[]",
    "1e999",
    '{"type": "ping"}',
    '{"type": ["ping"]}',
    '{"type": null}',
    '{"type": "\\ud800"}',
    "\0",
    "\ufeff{}",
    "NaN",
)


def honest(rng: random.Random) -> Frame:
    """A message that a library would send; a list goes out in fragments."""
    kind = rng.randrange(8)
    if kind == 0:
        return rng.choice(ODD)
    if kind == 1:
        return rng.randbytes(rng.choice((0, 1, 100, 70_000)))
    if kind == 2:
        return rng.choice(("[", '{"a":', '["a",')) * rng.choice((10, 1000, 100_000))
    if kind == 3:
        return "x" * rng.choice((1, 1000, 100_000, 1_000_000))
    if kind == 4:
        return [json.dumps(rng.random()) for _ in range(rng.randrange(1, 9))]
    if kind == 5:
        return json.dumps(
            {"type": rng.choice(("ping", "stop", "train", 7, None, {})), "run": rng.choice((1, -1, 10**30, "x"))}
        )
    return "".join(chr(rng.choice((0, 9, 34, 92, 123, 255, 0x202E, 0xFFFF, 0x1F600))) for _ in range(rng.randrange(40)))


def crooked(rng: random.Random) -> bytes:
    """One frame by hand: any opcode, any bits, a length that may lie, masked or not."""
    payload = rng.choice((b"", b"\xff\xfe", b"\xc3", b'{"type": "ping"}', rng.randbytes(rng.choice(LENGTHS))))
    opcode, bits = rng.choice(OPCODES), rng.choice((0x80, 0x80, 0x00, 0xC0, 0xF0))
    length, masked = (
        rng.choice((len(payload), len(payload), len(payload) + 5, 2**63, 2**64 - 1, 2**31)),
        rng.random() < 0.9,
    )
    if length < 126 and rng.random() < 0.9:
        sizes = bytes([length | masked << 7])
    elif length < 65536 and rng.random() < 0.9:
        sizes = bytes([126 | masked << 7]) + struct.pack(">H", length)
    else:
        sizes = bytes([127 | masked << 7]) + struct.pack(">Q", length)
    if opcode == 8 and rng.random() < 0.7:
        payload = struct.pack(">H", rng.choice((0, 999, 1000, 1005, 1006, 1012, 2999, 4999, 65535))) + payload[:100]
        sizes = bytes([len(payload) | 0x80])
    mask = rng.randbytes(4) if masked else b""
    if masked:
        payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload[:2000])) + payload[2000:]
    return bytes([bits | opcode]) + sizes + mask + payload


class Talker:
    """Opens sockets and sends; counts what it sent and how it was cut, and remembers what was wrong."""

    def __init__(self, port: int, seed: int, headers: dict[str, str]) -> None:
        self.port, self.rng, self.headers = port, random.Random(seed), headers
        self.sent, self.ends, self.wrongs = 0, Counter[str](), list[tuple[str, bytes]]()

    def talk(self) -> None:
        """One connection's worth: messages until it is cut, or one crooked frame after another."""
        try:
            if self.rng.random() < 0.5:
                self.politely()
            else:
                self.crookedly()
        except (InvalidStatus, InvalidMessage, OSError) as error:
            self.ends[f"refused: {type(error).__name__}"] += 1
            self.wrongs.append((f"a handshake failed: {error}", b""))

    def politely(self) -> None:
        frames = [honest(self.rng) for _ in range(MOST_MESSAGES)]
        url = f"ws://127.0.0.1:{self.port}/ws/training/"
        with connect(url, additional_headers=self.headers, max_size=None, open_timeout=20) as connection:
            try:
                for frame in frames:
                    connection.send(frame)
                    self.sent += len(frame) if isinstance(frame, list) else 1
                    self.hear(connection.recv(WAIT_SECONDS), frame)
                self.ends["1000"] += 1
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else 1006
                self.ends[str(code)] += 1
                if code not in PROPER_CLOSES:
                    self.wrongs.append((f"a socket was closed with {code}", repr(frames).encode()))
            except TimeoutError:
                self.wrongs.append(("a frame was not answered", repr(frames).encode()))

    def hear(self, text: str | bytes, frame: Frame) -> None:
        if json.loads(text)["type"] not in KNOWN_TYPES:
            self.wrongs.append((f"a frame was answered {text[:100]!r}", repr(frame).encode()))

    def crookedly(self) -> None:
        """The server closes at the first frame that is against the protocol; what comes after must not hurt it."""
        frames = list(islice(iter(lambda: crooked(self.rng), None), self.rng.randrange(1, 6)))
        head = [
            f"GET /ws/training/ HTTP/1.1\r\nHost: 127.0.0.1:{self.port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
        ]
        head += [
            f"Sec-WebSocket-Key: {KEY}",
            "Sec-WebSocket-Version: 13",
            *(f"{k}: {v}" for k, v in self.headers.items()),
        ]
        with socket.create_connection(("127.0.0.1", self.port), 20) as connection:
            connection.sendall("\r\n".join([*head, "\r\n"]).encode())
            if b" 101 " not in connection.recv(4000):
                self.wrongs.append(("a handshake was refused", b""))
                return
            with suppress(OSError):
                for frame in frames:
                    self.sent += 1
                    connection.sendall(frame)
                connection.sendall(b"\x88\x82\0\0\0\0\x03\xe8")  # goodbye, if it still listens
                connection.shutdown(socket.SHUT_WR)
            with suppress(OSError):
                connection.settimeout(WAIT_SECONDS)
                while connection.recv(65536):
                    pass
                self.ends["by hand"] += 1
