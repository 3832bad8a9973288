"""What a stranger sends to wear a server out: endless bodies, requests that never end, pictures that unfold.

Each attack is so many connections, which all read from one script: bytes, and a pause after each piece.
"""

import asyncio
import itertools
import ssl
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.support.bombs import blobs, many_scans, touching_digits
from tests.support.drawings import chunk, draw, encode

MEGA = 2**20
HUGE = 200 * MEGA
HALF_OPEN = 500
TRICKLE_SECONDS = 1.0  # between two bytes of a slow client
Script = Iterator[tuple[bytes, float]]


@dataclass(frozen=True)
class Attack:
    """`again`: a connection that has ended is opened anew until the attack is over. `hangs_up`: waits for no answer."""

    title: str
    connections: int
    script: Callable[[], Script]
    again: bool = True
    hangs_up: bool = False
    addresses: int = 1  # that the connections come from, in turn
    network: int = 1  # 127.x.0.0, whose addresses these are: what one attack has used up is not the next one's
    seconds: float = 15.0


@dataclass(frozen=True)
class Target:
    """On 127.0.0.1."""

    port: int
    tls: ssl.SSLContext | None = None


def head(*lines: str, path: str = "/api/drawing/", kind: str = "application/json") -> bytes:
    said = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Type: {kind}", *lines]
    return ("\r\n".join(said) + "\r\n\r\n").encode()


def plain(declared: int, sent: int, *, wait: float = 0.0) -> Script:
    """A body of `sent` bytes that calls itself `declared` bytes long; `wait` seconds before it hangs up."""
    yield head(f"Content-Length: {declared}"), 0.0
    piece = b"x" * min(sent, MEGA)
    for left in range(sent, 0, -MEGA):
        yield piece[:left], 0.0
    if wait:
        yield b"", wait


def chunked(sent: int) -> Script:
    yield head("Transfer-Encoding: chunked"), 0.0
    piece = b"%x\r\n" % MEGA + b"x" * MEGA + b"\r\n"
    for _ in range(sent // MEGA):
        yield piece, 0.0
    yield b"0\r\n\r\n", 0.0


def trickled(beginning: bytes, unit: bytes) -> Script:
    yield beginning, TRICKLE_SECONDS
    for _ in itertools.count():
        yield unit, TRICKLE_SECONDS


def slow_headers(path: str) -> Callable[[], Script]:
    return lambda: trickled(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX: ".encode(), b"x")


def slow_body() -> Script:
    return trickled(head("Content-Length: 1000000"), b"x")


UPGRADE = (
    b"GET /ws/training/ HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def slow_frame() -> Script:
    """A WebSocket that is open, and a text frame of 4 kB that never comes to its end."""
    yield UPGRADE, TRICKLE_SECONDS
    yield from trickled(b"\x81\xfe\x10\x00\0\0\0\0", b"x")


def pings() -> Script:
    """A WebSocket that is sent empty pings as fast as it takes them."""
    yield UPGRADE, TRICKLE_SECONDS
    while True:
        yield b"\x89\x80\0\0\0\0" * 10_000, 0.0


def picture(data: bytes, path: str = "/api/drawing/") -> Callable[[], Script]:
    request = head(f"Content-Length: {len(data)}", "Connection: close", path=path, kind="image/png") + data
    return lambda: iter([(request, 60.0)])


def read(path: str) -> Callable[[], Script]:
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    return lambda: iter([(request, 60.0)])


def joins() -> Script:
    """A viewer who is gone as soon as the snapshot has been asked for."""
    yield UPGRADE, 0.05


def bomb() -> bytes:
    """140 kB that decode to 1.16 GB: 34000x34000 in black and white, whole and valid, a byte a pixel in memory."""
    side = 34_000
    packing = zlib.compressobj(9)
    row = bytes(1 + side // 8)
    data = b"".join(packing.compress(row * 1000) for _ in range(side // 1000)) + packing.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def largest_picture() -> bytes:
    """Within every limit, and as dear as one can be: 4096x4096 in colour with alpha, 64 MB when decoded."""
    return encode(draw(7, 4096).convert("RGBA"))


NUMBER = "/api/number/"
ATTACKS: dict[str, Callable[[], Attack]] = {
    "length": lambda: Attack("200 MB body with its length", 4, lambda: plain(HUGE, HUGE)),
    "chunked": lambda: Attack("200 MB body, chunked", 4, lambda: chunked(HUGE)),
    "too-small": lambda: Attack("200 MB body that calls itself 100 bytes", 4, lambda: plain(100, HUGE)),
    "too-large": lambda: Attack("1 kB body that calls itself 200 MB", 100, lambda: plain(HUGE, 1000)),
    "hung-up": lambda: Attack(
        "1 kB of a body of 1 MB, then hung up", 100, lambda: plain(1_000_000, 1000), hangs_up=True
    ),
    "never": lambda: Attack("900 kB of a body of 1 MB, then nothing", 100, lambda: plain(1_000_000, 900_000, wait=60)),
    "silent": lambda: Attack("500 connections that say nothing", HALF_OPEN, lambda: iter([(b"", 60.0)])),
    "headers": lambda: Attack("500 half-open: headers, a byte a second", HALF_OPEN, slow_headers("/")),
    "bodies": lambda: Attack("500 half-open: bodies, a byte a second", HALF_OPEN, slow_body),
    "bodies-of-many": lambda: Attack("the same from 100 addresses", HALF_OPEN, slow_body, addresses=100),
    "handshakes": lambda: Attack(
        "500 half-open: WebSocket handshakes, a byte a second", HALF_OPEN, slow_headers("/ws/training/")
    ),
    "frames": lambda: Attack("500 WebSockets, each with a frame that never ends", HALF_OPEN, slow_frame),
    "frames-of-many": lambda: Attack("the same from 100 addresses", HALF_OPEN, slow_frame, addresses=100),
    "pings": lambda: Attack("20 WebSockets that send nothing but pings", 20, pings),
    "bomb": lambda: Attack("PNG that would decode to 1.16 GB, again and again", 16, picture(bomb())),
    "scans": lambda: Attack(
        "JPEG that goes over its million pixels 5,000 times", 16, picture(many_scans(999, 1000, 5000))
    ),
    "largest": lambda: Attack("valid PNG of 4096x4096 RGBA, again and again", 50, picture(largest_picture())),
    "largest-of-many": lambda: Attack("the same from 50 addresses", 50, picture(largest_picture()), addresses=50),
    "blobs": lambda: Attack("number of 16,384 blobs", 50, picture(encode(blobs(4096)), NUMBER), addresses=50),
    "touching": lambda: Attack("20 touching digits", 50, picture(encode(touching_digits()), NUMBER), addresses=50),
    "flood": lambda: Attack("GET /api/runs/, again and again", 50, read("/api/runs/")),
    "lists": lambda: Attack(
        "GET /api/runs/?page_size=100&include=epochs, again and again",
        50,
        read("/api/runs/?page_size=100&include=epochs"),
    ),
    "joins": lambda: Attack("WebSockets opened and left, again and again", 20, joins, hangs_up=True),
}


def carry_out(attack: Attack, target: Target) -> Counter[str]:
    """How the connections of an attack ended: by status, `cut` without one, or `held` to the attack's end."""
    return asyncio.run(all_connections(attack, target))


async def all_connections(attack: Attack, target: Target) -> Counter[str]:
    until = asyncio.get_running_loop().time() + attack.seconds
    outcomes: Counter[str] = Counter()
    numbers = range(attack.connections)
    await asyncio.gather(*(one_connection(attack, target, number, until, outcomes) for number in numbers))
    return outcomes


async def one_connection(attack: Attack, target: Target, number: int, until: float, outcomes: Counter[str]) -> None:
    now = asyncio.get_running_loop().time
    source = f"127.{attack.network}.0.{1 + number % attack.addresses}"
    while True:
        outcomes[await converse(attack, target, source, until)] += 1
        if not attack.again or now() >= until:
            return


async def converse(attack: Attack, target: Target, source: str, until: float) -> str:
    """Send what the script says for as long as the server takes it; how it ended."""
    name = "localhost" if target.tls else None
    try:
        reader, writer = await asyncio.wait_for(
            asyncio.open_connection(
                "127.0.0.1", target.port, ssl=target.tls, server_hostname=name, local_addr=(source, 0)
            ), max(0.0, until - asyncio.get_running_loop().time()),
        )  # fmt: skip
    except (OSError, asyncio.TimeoutError):
        await asyncio.sleep(0.1)
        return "not let in"
    sending = asyncio.create_task(send(writer, attack.script()))
    try:
        if attack.hangs_up:
            await sending
            return "hung up"
        return await answer(reader, sending, until)
    finally:
        sending.cancel()
        writer.transport.abort()


async def answer(reader: asyncio.StreamReader, sending: asyncio.Task[None], until: float) -> str:
    """The status, and of an open WebSocket, or where none came, how it ended."""
    now = asyncio.get_running_loop().time
    said, ending = b"", "cut"
    try:
        while more := await asyncio.wait_for(reader.read(65536), max(0.0, until - now())):
            said = said or more
            if not status_of(said).startswith("101") and sending.done():
                break
    except asyncio.TimeoutError:
        ending = "held"
    except OSError:
        pass
    return status_of(said, ending)


async def send(writer: asyncio.StreamWriter, script: Script) -> None:
    try:
        for piece, pause in script:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)  # 0 too: drain alone would never let the loop see that the connection is lost
    except OSError:
        return


def status_of(said: bytes, ending: str = "") -> str:
    """The status of an answer; of an open WebSocket, and of no answer, how it ended."""
    if not said:
        return ending
    status = said[9:12].decode() if said.startswith(b"HTTP/1.") else "answered"
    return f"{status} {ending}".strip() if status == "101" else status
