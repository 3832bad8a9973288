"""A TCP forwarder in a process of its own: suspended, it is a network that dies without closing anything."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from tests.support.ports import free_port, wait_for_port


@contextmanager
def forwarding(target: int) -> Iterator[tuple[str, psutil.Popen]]:
    """The address that forwards every connection to the port `target`, and the process that does it."""
    port = free_port()
    with psutil.Popen([sys.executable, "-m", "tests.support.forwarder", str(port), str(target)]) as process:
        try:
            wait_for_port(port)
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.kill()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def serve(port: int, target: int) -> None:
    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(copy(reader, there_writer), copy(there_reader, writer))

    async with await asyncio.start_server(forward, "127.0.0.1", port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(*map(int, sys.argv[1:])))
