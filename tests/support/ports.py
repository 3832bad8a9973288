"""Free ports, and waiting for somebody to listen on one."""

import fcntl
import random
import socket
import tempfile
import time
from pathlib import Path
from typing import IO

# Below the ports that systems give to outgoing connections, which could take one between our look and its use.
RANGE = range(15_000, 30_000)
_held: list[IO[str]] = []  # each file is locked for as long as this process lives


def free_port() -> int:
    """A loopback port that nobody listens on, and that no other process of the tests has been given."""
    folder = Path(tempfile.gettempdir()) / "digits-test-ports"
    folder.mkdir(exist_ok=True)
    while True:
        port = random.choice(RANGE)
        lock = (folder / str(port)).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
            continue
        _held.append(lock)
        return port


def wait_for_port(port: int, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nobody listens on port {port}")
