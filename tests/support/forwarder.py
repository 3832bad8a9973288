"""A TCP forwarder in a process of its own: stopped by a signal, it is a network that dies without closing anything."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress

from tests.support.ports import free_port, wait_for_port


class Forwarder:
    """Forwards every connection to `target`, until it is frozen."""

    def __init__(self, target):
        self.port = free_port()
        command = [sys.executable, "-m", "tests.support.forwarder", str(self.port), str(target)]
        self.process = subprocess.Popen(command)
        self.url = f"http://127.0.0.1:{self.port}"

    def freeze(self):
        """Pass nothing on, and close nothing."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.process.pid, signal.SIGCONT)


@contextmanager
def forwarding(target):
    forwarder = Forwarder(target)
    try:
        wait_for_port(forwarder.port)
        yield forwarder
    finally:
        forwarder.thaw()
        forwarder.process.terminate()
        forwarder.process.wait(10)


async def copy(reader, writer):
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def serve(port, target):
    async def forward(reader, writer):
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(copy(reader, there_writer), copy(there_reader, writer))

    async with await asyncio.start_server(forward, "127.0.0.1", port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(*map(int, sys.argv[1:])))
