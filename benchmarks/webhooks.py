"""Runs and corrections with ten dead webhook endpoints, and without: ``python -m benchmarks.webhooks``.

Five endpoints refuse connections and five accept them without ever answering. Rounds alternate: without, with.
"""

import argparse
import socket
import statistics
import tempfile
import time
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import psutil

from benchmarks.support.common import machine, spread, table
from tests.support.ports import free_port
from tests.support.stack import NUMPY_LEARNER, Stack, running

ENDPOINTS, CORRECTIONS = 10, 20
MODELS = "from digits_site.webhooks.models import *; from digits_site.webhooks.events import EVENTS;"


def add_endpoints(stack: Stack, sockets: ExitStack) -> None:
    """Add the endpoints, disabled. The kernel accepts connections to those that listen, and nobody answers."""
    ports = [free_port() for _ in range(ENDPOINTS)]
    for port in ports[::2]:
        listener = sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    made = "WebhookEndpoint(url=f'http://127.0.0.1:{port}/', events=list(EVENTS), enabled=False)"
    code = f"{MODELS}\nfor port in {ports}:\n endpoint = {made}\n endpoint.renew_secret()\n endpoint.save()"
    stack.manage("shell", "-v0", "-c", code)


def one_round(stack: Stack, number: int) -> dict[str, float]:
    """Return the seconds of a run, by its row and as its requester sees it, and of a correction."""
    began = time.monotonic()
    run = stack.ended(stack.train(preset="fast", epochs=1, samples=500))
    seen = time.monotonic() - began
    start, end = (datetime.fromisoformat(run[name]) for name in ("started_at", "finished_at"))
    times = []
    for row in range(CORRECTIONS):
        pixels = [0] * 300 + [255] * 60 + [0] * (424 - row) + [(number + 1) % 256] * row
        began = time.monotonic()
        stack.http.post("/api/corrections/", json={"pixels": pixels, "label": number % 10}).raise_for_status()
        times.append(time.monotonic() - began)
    return {
        "run seconds": (end - start).total_seconds(),
        "until seen": seen,
        "correction ms": 1000 * statistics.median(times),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=10)
    count = parser.parse_args().rounds
    print(f"{machine()}; {count} rounds of each kind: a run of the tests' learner, {CORRECTIONS} corrections\n")
    rounds: dict[bool, list[dict[str, float]]] = {False: [], True: []}
    with (
        tempfile.TemporaryDirectory() as name,
        ExitStack() as sockets,
        running(Path(name), learner=NUMPY_LEARNER) as stack,
    ):
        stack.launch_webhooks()
        add_endpoints(stack, sockets)
        one_round(stack, 0)
        for number in range(1, 2 * count + 1):
            dead = number % 2 == 0
            stack.manage("shell", "-v0", "-c", f"{MODELS} WebhookEndpoint.objects.update(enabled={dead})")
            rounds[dead].append(one_round(stack, number))
        memory = psutil.Process(stack.processes["webhooks"].pid).memory_full_info()
    names = list(rounds[True][0])
    rows = [
        [f"{ENDPOINTS * dead}", *(spread([one[n] for one in found], 3) for n in names)]
        for dead, found in rounds.items()
    ]
    print(table(["dead endpoints", *names], rows))
    print(f"The worker for webhooks: {memory.rss / 1e6:.0f} MB resident, {memory.uss / 1e6:.0f} MB of it unshared.")


if __name__ == "__main__":
    main()
