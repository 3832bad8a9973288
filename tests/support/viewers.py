"""python -m tests.support.viewers PORT SOCKETS STREAMS: viewers of a run in a process of their own, cheap and many.

Says `sockets` when every WebSocket has its snapshot; waits for a line with the run's number; says `streams` when every
event stream has begun; and prints what all of them saw as JSON when the run has ended for the last of them.
"""

import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ENDINGS = {"completed", "interrupted", "error"}
AT_ONCE = 50  # connections that are being made
PATIENCE_SECONDS = 600.0
Seen = dict[str, Any]


class Viewer(asyncio.Protocol):
    """What both kinds keep: the epochs of a run in the order of their arrival, and how it ended."""

    path = ""
    headers = ""

    def __init__(self, run: int | None = None) -> None:
        self.run = run
        self.epochs: list[int] = []
        self.arrivals: dict[int, float] = {}  # of an epoch, by this machine's clock
        self.told: dict[int, float] = {}  # its `time`
        self.batches = self.snapshots = 0
        self.buffer = b""
        self.begun, self.done = asyncio.Event(), asyncio.Event()
        self.ending = ""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{self.headers}\r\n".encode())

    def connection_lost(self, error: Exception | None) -> None:
        self.ending = self.ending or "lost"
        self.begun.set()
        self.done.set()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self.take()

    def take(self) -> None:
        raise NotImplementedError

    def epoch(self, number: int, at: float | None = None) -> None:
        self.epochs.append(number)
        self.arrivals[number] = time.time()
        if at is not None:
            self.told[number] = at

    def end(self, how: str) -> None:
        self.ending = how
        self.done.set()

    def seen(self) -> Seen:
        return {
            "epochs": self.epochs,
            "arrivals": self.arrivals,
            "told": self.told,
            "batches": self.batches,
            "snapshots": self.snapshots,
            "ending": self.ending,
        }


class Socket(Viewer):
    path = "/ws/training/"
    headers = (
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    )
    open = False

    def take(self) -> None:
        if not self.open:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head:
                self.transport.abort()
                return
            self.open, self.buffer = True, rest
        while (frame := self.frame()) is not None:
            opcode, payload = frame
            if opcode == 9:
                self.transport.write(bytes([0x8A, 0x80 | len(payload), 0, 0, 0, 0]) + payload)
            elif opcode == 1:
                self.message(payload)

    def frame(self) -> tuple[int, bytes] | None:
        """The next whole frame of the buffer: (opcode, payload). A server does not mask."""
        buffer = self.buffer
        if len(buffer) < 2:
            return None
        start, size = 2, buffer[1]
        if size >= 126:
            start = 4 if size == 126 else 10
            size = int.from_bytes(buffer[2:start], "big")
        if len(buffer) < start + size:
            return None
        self.buffer = buffer[start + size :]
        return buffer[0] & 15, buffer[start : start + size]

    def message(self, payload: bytes) -> None:
        if payload.startswith(b'{"type": "batch"'):
            self.batches += 1
            return
        message = json.loads(payload)
        if message["type"] == "snapshot":
            self.snapshot(message["run"])
        elif message["type"] == "queued" and self.run is None:
            self.run = message["run"]
        elif message["run"] == self.run:
            if message["type"] == "epoch":
                self.epoch(message["epoch"], message["time"])
            elif message["type"] in ENDINGS:
                self.end(message["type"])

    def snapshot(self, run: dict[str, Any] | None) -> None:
        self.snapshots += 1
        self.begun.set()
        if run and run["id"] == self.run:
            self.epochs = [epoch["epoch"] for epoch in run["epochs"]]
            if run["status"] in ENDINGS:
                self.end(run["status"])


class Stream(Viewer):
    path = "/api/progress/"

    def take(self) -> None:
        *lines, self.buffer = self.buffer.split(b"\n")
        for line in lines:
            if line.startswith(b"data: "):
                self.message(json.loads(line[6:]))

    def message(self, message: dict[str, Any]) -> None:
        self.begun.set()
        if "event" in message:
            self.end(message["reason"])
        elif (number := message.get("epoch")) is not None and (not self.epochs or self.epochs[-1] != number):
            self.epoch(number)


async def connected(port: int, make: Callable[[], Viewer], number: int) -> list[Viewer]:
    """That many viewers, when each has its first message."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one() -> Viewer:
        async with room:
            _, viewer = await asyncio.get_running_loop().create_connection(make, "127.0.0.1", port)
            await viewer.begun.wait()
            return viewer

    return list(await asyncio.gather(*(one() for _ in range(number))))


async def main(port: int, sockets: int, streams: int) -> None:
    watching = await connected(port, Socket, sockets)
    print("sockets", flush=True)
    run = int(await asyncio.to_thread(sys.stdin.readline))
    for viewer in watching:
        viewer.run = run
    reading = await connected(port, lambda: Stream(run), streams)
    print("streams", flush=True)
    ended = asyncio.gather(*(viewer.done.wait() for viewer in [*watching, *reading]))
    await asyncio.wait_for(ended, PATIENCE_SECONDS)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "sockets": [viewer.seen() for viewer in watching],
                "streams": [viewer.seen() for viewer in reading],
                "cpu": used.ru_utime + used.ru_stime,
            }
        )
    )


class Crowd:
    """The handle of such a process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def expect(self, word: str) -> None:
        said = self.process.stdout.readline().strip()
        assert said == word, f"the crowd said {said!r}, not {word!r}"

    def watch(self, run: int) -> None:
        """Every socket follows that run, and the event streams begin."""
        self.process.stdin.write(f"{run}\n")
        self.process.stdin.flush()
        self.expect("streams")

    def seen(self) -> dict[str, Any]:
        """What everybody saw, when the run has ended for all."""
        seen: dict[str, Any] = json.loads(self.process.stdout.readline())
        return seen


@contextmanager
def crowd(port: int, sockets: int, streams: int) -> Iterator[Crowd]:
    """A crowd whose sockets have their snapshots; its process is gone afterwards, whatever happened."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.viewers", str(port), str(sockets), str(streams)],
        cwd=Path(__file__).resolve().parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        watching = Crowd(process)
        watching.expect("sockets")
        yield watching
    finally:
        process.kill()
        process.communicate()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
