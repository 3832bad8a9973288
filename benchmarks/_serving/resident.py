"""What a web process of the product weighs after many predictions."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks._serving import load
from benchmarks._serving.kinds import KINDS
from benchmarks._serving.measuring import Desk
from benchmarks._serving.processes import NotServing, on
from benchmarks._serving.servers import SERVERS

SINGLES = ("canvas", "page", "small")
PATIENCE = 600  # seconds for all predictions


@dataclass(frozen=True)
class Weight:
    """Megabytes resident in the process that answers, after the first answer and after the last."""

    first: float
    last: float
    answers: int


def weigh(desk: Desk, name: str, predictions: int) -> Weight:
    """Of all three pictures in turn. Raises NotServing where one is not answered."""
    server = SERVERS[name]
    tree, port = desk.start(name, server)
    try:
        with on(desk.loading):
            desk.wait(tree, server, port)
            first = tree.largest()
            requests = [request for kind in SINGLES for request in KINDS[kind].requests(server, port)]
            result = load.run(load.Load(port, requests, PATIENCE, most=predictions))
        if result.failures:
            raise NotServing(f"{result.failures} of {predictions} requests failed; {tree.last_words()}")
        return Weight(first, tree.largest(), result.answers)
    finally:
        tree.stop()
