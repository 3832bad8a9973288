"""What a WebSocket client may send, by a library and by hand, and what comes back."""

import json
import random
import socket
import struct
from collections import Counter
from contextlib import suppress

from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.utils import apply_mask

Frame = str | bytes | list[str]
WAIT_SECONDS = 5
MOST_MESSAGES = 25  # on one socket: more than are answered before it is cut
TALKS_TOO_MUCH = 4008
# Closed by the server for what was sent: too big, protocol, type, text; talks too much; anything not understood.
PROPER_CLOSES = {1000, 1002, 1003, 1007, 1009, TALKS_TOO_MUCH}
KNOWN_TYPES = {"snapshot", "pong", "error_frame", "queued", "interrupted", "phase", "started", "error"}
OPCODES = (0, 1, 2, 3, 5, 7, 8, 9, 10, 11, 15)
LENGTHS = (0, 1, 125, 126, 127, 65535, 65536)
CODES = (0, 999, 1000, 1005, 1006, 1012, 2999, 4999, 65535)
ODD_TYPES = ('"ping"', '["ping"]', "null", '"\\ud800"')
ODD = ("", "{", "null", "[]", "1e999", "NaN", "\0", "\ufeff{}", *(f'{{"type": {kind}}}' for kind in ODD_TYPES))
ODD_CHARACTERS = tuple(map(chr, (0, 9, 34, 92, 123, 255, 0x202E, 0xFFFF, 0x1F600)))
GOODBYE = b"\x88\x82\0\0\0\0\x03\xe8"


def honest(rng: random.Random) -> Frame:
    """A message that a library would send; a list goes out in fragments."""
    kinds = (
        lambda: rng.choice(ODD),
        lambda: rng.randbytes(rng.choice((0, 1, 100, 70_000))),
        lambda: rng.choice(("[", '{"a":', '["a",')) * rng.choice((10, 1000, 100_000)),
        lambda: "x" * rng.choice((1, 1000, 100_000, 1_000_000)),
        lambda: [json.dumps(rng.random()) for _ in range(rng.randrange(1, 9))],
        lambda: json.dumps(
            {"type": rng.choice(("ping", "stop", "train", 7, None, {})), "run": rng.choice((1, -1, 10**30, "x"))}
        ),
        lambda: "".join(rng.choices(ODD_CHARACTERS, k=rng.randrange(40))),
    )
    made: Frame = rng.choice(kinds)()
    return made


def crooked(rng: random.Random) -> bytes:
    """One frame by hand: any opcode, any bits, a length that may lie, masked or not."""
    payload = rng.choice((b"", b"\xff\xfe", b"\xc3", b'{"type": "ping"}', rng.randbytes(rng.choice(LENGTHS))))
    opcode, bits, masked = rng.choice(OPCODES), rng.choice((0x80, 0x80, 0x00, 0xC0, 0xF0)), rng.random() < 0.9
    length = rng.choice((len(payload), len(payload), len(payload) + 5, 2**63, 2**64 - 1, 2**31))
    if opcode == 8 and rng.random() < 0.7:
        payload = struct.pack(">H", rng.choice(CODES)) + payload[:100]
        length, masked = len(payload), True
    if length < 126 and rng.random() < 0.9:
        sizes = bytes([length | masked << 7])
    elif length < 65536 and rng.random() < 0.9:
        sizes = struct.pack(">BH", 126 | masked << 7, length)
    else:
        sizes = struct.pack(">BQ", 127 | masked << 7, length)
    if masked and payload:
        mask = rng.randbytes(4)
        payload = mask + apply_mask(payload, mask)
    return bytes([bits | opcode]) + sizes + payload


class Talker:
    """Opens sockets and sends; counts what it sent and how it was cut, and remembers what was wrong."""

    def __init__(self, port: int, seed: int, headers: dict[str, str]) -> None:
        self.port, self.rng, self.headers = port, random.Random(seed), headers
        self.sent, self.ends, self.wrongs = 0, Counter[str](), list[tuple[str, bytes]]()

    def talk(self) -> None:
        """One connection's worth: messages until it is cut, or one crooked frame after another."""
        url = f"ws://127.0.0.1:{self.port}/ws/training/"
        way = self.politely if self.rng.random() < 0.5 else self.crookedly
        try:
            with connect(
                url, additional_headers=self.headers, max_size=None, open_timeout=20, close_timeout=WAIT_SECONDS
            ) as connection:
                way(connection)
        except (InvalidStatus, InvalidMessage, OSError) as error:
            self.ends[f"refused: {type(error).__name__}"] += 1
            self.wrongs.append((f"a handshake failed: {error}", b""))

    def politely(self, connection: ClientConnection) -> None:
        frames = [honest(self.rng) for _ in range(MOST_MESSAGES)]
        try:
            for frame in frames:
                connection.send(frame)
                self.sent += len(frame) if isinstance(frame, list) else 1
                text = connection.recv(WAIT_SECONDS)
                if json.loads(text)["type"] not in KNOWN_TYPES:
                    self.wrongs.append((f"a frame was answered {text[:100]!r}", repr(frame).encode()))
            self.ends["1000"] += 1
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else 1006
            self.ends[str(code)] += 1
            if code not in PROPER_CLOSES:
                self.wrongs.append((f"a socket was closed with {code}", repr(frames).encode()))
        except TimeoutError:
            self.wrongs.append(("a frame was not answered", repr(frames).encode()))

    def crookedly(self, connection: ClientConnection) -> None:
        """The server closes at the first frame that is against the protocol; what comes after must not hurt it."""
        with suppress(OSError):
            for frame in [crooked(self.rng) for _ in range(self.rng.randrange(1, 6))]:
                self.sent += 1
                connection.socket.sendall(frame)
            connection.socket.sendall(GOODBYE)  # if it still listens
            connection.socket.shutdown(socket.SHUT_WR)
        with suppress(ConnectionClosed, TimeoutError):
            while True:
                connection.recv(WAIT_SECONDS)
        self.ends["by hand"] += 1
