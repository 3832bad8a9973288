"""python -m tests.support.viewers PORT SOCKETS STREAMS: many viewers of the next run, in a process of their own.

Says `sockets` when every WebSocket has its snapshot; waits for a line, which means that the run is queued; says
`streams` when every event stream has begun; and prints as JSON what all of them saw, when the last saw the run's end.
"""

import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect

AT_ONCE = 50  # connections that are being made
PATIENCE_SECONDS = 600.0


async def socket_messages(port: int) -> AsyncIterator[dict[str, Any]]:
    async with connect(f"ws://127.0.0.1:{port}/ws/training/", compression=None, max_size=None) as connection:
        async for frame in connection:
            yield json.loads(frame)


async def stream_messages(port: int) -> AsyncIterator[dict[str, Any]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /api/progress/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    async for line in reader:
        if line.startswith(b"data: "):
            yield json.loads(line[6:])
    writer.close()


class Viewer:
    """What one viewer saw: the run's epochs in the order of their arrival, and how the run ended."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.epochs: list[int] = []
        self.arrivals: dict[int, float] = {}  # of an epoch, by this machine's clock
        self.told: dict[int, float] = {}  # its `time`
        self.batches = self.snapshots = 0
        self.ending = "lost"

    async def watch(self, messages: AsyncIterator[dict[str, Any]]) -> dict[str, Any]:
        async for message in messages:
            self.take(message, message.get("type", ""))
            self.begun.set()
            if self.ending != "lost":
                break
        return {name: value for name, value in vars(self).items() if name != "begun"}

    def take(self, message: dict[str, Any], kind: str) -> None:
        """A stream's messages have no type. The first snapshot is of an earlier run."""
        if kind == "batch":
            self.batches += 1
        elif kind == "snapshot":
            self.snapshots += 1
            if self.snapshots > 1:
                self.epochs = [epoch["epoch"] for epoch in message["run"]["epochs"]]
        elif kind in {"completed", "interrupted", "error"} or message.get("event") == "close":
            self.ending = kind or message["reason"]
        elif (number := message.get("epoch")) and self.epochs[-1:] != [number]:
            self.epochs.append(number)
            self.arrivals[number] = time.time()
            if kind:
                self.told[number] = message["time"]


async def main(port: int, sockets: int, streams: int) -> None:
    room = asyncio.Semaphore(AT_ONCE)

    async def join(messages: AsyncIterator[dict[str, Any]]) -> asyncio.Task[dict[str, Any]]:
        async with room:
            viewer = Viewer()
            watching = asyncio.create_task(viewer.watch(messages))
            await asyncio.wait_for(viewer.begun.wait(), PATIENCE_SECONDS)
            return watching

    async def all_of(tasks: list[asyncio.Task[dict[str, Any]]]) -> list[dict[str, Any]]:
        return await asyncio.wait_for(asyncio.gather(*tasks), PATIENCE_SECONDS)

    watching = await asyncio.gather(*(join(socket_messages(port)) for _ in range(sockets)))
    print("sockets", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    reading = await asyncio.gather(*(join(stream_messages(port)) for _ in range(streams)))
    print("streams", flush=True)
    seen = {"sockets": await all_of(watching), "streams": await all_of(reading)}
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps(seen | {"cpu": used.ru_utime + used.ru_stime}))


class Crowd:
    """The handle of such a process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def expect(self, word: str) -> None:
        said = self.process.stdout.readline().strip()
        assert said == word, f"the crowd said {said!r}, not {word!r}"

    def watch(self) -> None:
        """The run is queued, and the event streams begin."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.expect("streams")

    def seen(self) -> dict[str, Any]:
        """What everybody saw, when the run has ended for all."""
        seen: dict[str, Any] = json.loads(self.process.stdout.readline())
        return seen


@contextmanager
def crowd(port: int, sockets: int, streams: int) -> Iterator[Crowd]:
    """A crowd whose sockets have their snapshots; its process is gone afterwards, whatever happened."""
    command = [sys.executable, "-m", "tests.support.viewers", str(port), str(sockets), str(streams)]
    root, pipe = Path(__file__).resolve().parents[2], subprocess.PIPE
    with subprocess.Popen(command, cwd=root, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            watching = Crowd(process)
            watching.expect("sockets")
            yield watching
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
