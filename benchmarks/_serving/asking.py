"""Asking a server for one drawing, and waiting for the first answer after its start."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Sequence

from benchmarks._serving.processes import PATIENCE, NotServing, Tree
from benchmarks._serving.servers import Server

DIGIT = re.compile(rb'"prediction": *(\d)')
EVENT = re.compile(rb'"event_id": *"(\w+)"')


def ask(server: Server, port: int, drawings: Sequence[str]) -> tuple[int, bytes]:
    """(status, body) of the answer, over a connection of its own. Raises OSError and HTTPException."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        path = "/api/drawings/" if len(drawings) > 1 else server.path
        connection.request("POST", path, server.body(drawings), {"Content-Type": "application/json"})
        status, body = whole(connection.getresponse())
        if server.follow and status == 200 and (event := EVENT.search(body)):
            connection.request("GET", server.follow + event[1].decode())
            status, body = whole(connection.getresponse())
        return status, body
    finally:
        connection.close()


def whole(answer: http.client.HTTPResponse) -> tuple[int, bytes]:
    return answer.status, answer.read()


def digit(server: Server, port: int, drawing: str) -> int | None:
    """What a server reads in a drawing; None where it answers something else than a digit."""
    status, body = ask(server, port, [drawing])
    found = DIGIT.search(body) if status == 200 else None
    return int(found[1]) if found else None


def first_answer(tree: Tree, server: Server, port: int, drawing: str) -> float:
    """Seconds from the start of the process to its first answer. Raises NotServing."""
    said = "no connection"
    while time.perf_counter() - tree.began < PATIENCE:
        tree.check()
        try:
            status, body = ask(server, port, [drawing])
        except (OSError, http.client.HTTPException) as error:
            said = str(error)
        else:
            if status == 200 and DIGIT.search(body):
                return time.perf_counter() - tree.began
            said = f"{status} {body[:200]!r}"
        time.sleep(0.02)
    raise NotServing(f"no digit after {PATIENCE} s: {said}; {tree.last_words()}")
