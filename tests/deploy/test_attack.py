"""Strangers who want to wear the public deployment out: what each gets, and that others are answered meanwhile.

The same at full size, with figures: `python -m benchmarks.attack`.
"""

import asyncio
import itertools
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.support.attackers import ATTACKS, Attack, Target, carry_out
from tests.support.drawings import data_url, draw, encode
from tests.support.memory import Weight
from tests.support.public_site import PublicSite

pytestmark = pytest.mark.stack
DRAWING = {"drawing": data_url(encode(draw(7)))}
OF_DRAWINGS = 16  # that one client may have under way: deploy/nginx/server.conf
OF_STREAMS = 50  # STREAMS_PER_ADDRESS in public mode
NETWORKS = itertools.count(1)
MOST_MEGABYTES = 60.0  # that an attack may add to nginx and the web processes together
SECONDS = 3.0  # that an honest drawing may take on a busy machine


@pytest.fixture(scope="module")
def target(public_site: PublicSite) -> Target:
    return Target(public_site.https_port, public_site.trust())


@contextmanager
def honest_meanwhile(site: PublicSite) -> Iterator[None]:
    """Somebody at another address draws for as long as this block, and is answered every time; memory stays."""
    over, slow = threading.Event(), []

    def ask() -> None:
        late = 0.0  # that the last answers took, if each was late: a busy machine is slow for one of them
        with site.client("127.0.0.77") as visitor:
            while not over.is_set():
                began = time.monotonic()
                answer = visitor.post("/api/drawing/", json=DRAWING)
                took = time.monotonic() - began
                late = late + took if took > SECONDS else 0.0
                if answer.status_code != 200 or late > 2 * SECONDS:
                    slow.append((answer.status_code, took))
                over.wait(0.6)  # PREDICT_RATE: two a second

    for host in range(150, 158):  # so that every worker has loaded the model before it is weighed
        with site.client(f"127.0.0.{host}") as visitor:
            visitor.post("/api/drawing/", json=DRAWING)
    asking = threading.Thread(target=ask)
    weight = Weight(site.members)
    asking.start()
    try:
        yield
    finally:
        over.set()
        asking.join()
    assert weight.peak() - weight.seen[0] < MOST_MEGABYTES
    assert not slow, "answers to the honest: (status, seconds)"


def small(name: str, connections: int, seconds: float = 6.0) -> Attack:
    """An attack of the benchmark, with fewer connections and each once, from an address that no test had before."""
    network = next(NETWORKS)
    return replace(ATTACKS[name](), connections=connections, seconds=seconds, network=network, again=False)


@pytest.fixture(scope="module", autouse=True)
def half_open(target: Target) -> Iterator[list[Future[tuple[Counter[str], float]]]]:
    """Clients whose headers do not end, from the first test here on; the last test looks at them."""

    def ended(attack: Attack) -> tuple[Counter[str], float]:
        began = time.monotonic()
        return carry_out(attack, target), time.monotonic() - began

    with ThreadPoolExecutor(3) as threads:
        yield [threads.submit(ended, small(name, 60, 30)) for name in ("silent", "headers", "handshakes")]


OUTCOMES = {"length": "413", "chunked": "413", "too-small": "400", "too-large": "413", "bomb": "413", "scans": "400"}


@pytest.mark.parametrize("name", OUTCOMES)
def test_what_is_too_large_is_refused_before_it_is_taken(public_site: PublicSite, target: Target, name: str) -> None:
    with honest_meanwhile(public_site):
        assert carry_out(small(name, 2), target) == Counter({OUTCOMES[name]: 2})


def test_who_hangs_up_in_the_middle_leaves_nothing_behind(public_site: PublicSite, target: Target) -> None:
    with honest_meanwhile(public_site):
        assert carry_out(small("hung-up", 200), target) == Counter({"hung up": 200})


def test_bodies_that_trickle_are_few_for_each_address(public_site: PublicSite, target: Target) -> None:
    with honest_meanwhile(public_site):
        endings = carry_out(small("bodies", 60), target)
    assert endings == Counter({"held": OF_DRAWINGS, "429": 60 - OF_DRAWINGS})


def test_streams_are_few_for_each_address(public_site: PublicSite, target: Target) -> None:
    with honest_meanwhile(public_site):
        endings = carry_out(small("frames", 80), target)
    assert endings["101 held"] == OF_STREAMS
    assert sum(endings.values()) == 80


def test_who_sends_frame_after_frame_is_cut(public_site: PublicSite, target: Target) -> None:
    with honest_meanwhile(public_site):
        assert carry_out(small("pings", 10, seconds=10), target) == Counter({"101 cut": 10})


def test_a_flood_of_cheap_requests_is_thinned_for_its_address_alone(public_site: PublicSite, target: Target) -> None:
    """A hundred at once and fifty a second are let through."""
    with honest_meanwhile(public_site):
        statuses = asyncio.run(flood(target, connections=8, requests=150))
    assert statuses["200"] >= 100
    assert statuses["429"] > 0
    assert statuses["200"] + statuses["429"] == 8 * 150


@pytest.mark.parametrize(("path", "burst"), [("/api/runs/?page_size=1", 30), ("/api/progress/", 100)])
def test_lists_and_streams_are_asked_for_at_a_slower_rate(target: Target, path: str, burst: int) -> None:
    requests = burst + 200  # a slower rate lets fewer through for as long as they are answered in 20 seconds
    statuses = asyncio.run(flood(target, connections=1, requests=requests, path=path, host=80 + burst))
    assert burst < statuses["200"] < requests
    assert statuses["200"] + statuses["429"] == requests


def test_headers_that_do_not_come_are_waited_for_ten_seconds(
    half_open: list[Future[tuple[Counter[str], float]]],
) -> None:
    for attack in half_open:
        endings, seconds = attack.result()
        assert endings == Counter({"cut": 60})
        assert 8 < seconds < 20


async def flood(target: Target, connections: int, requests: int, path: str = "/", host: int = 78) -> Counter[str]:
    """The statuses of requests that are all sent before any is answered, from 127.0.0.`host`."""

    async def one() -> list[str]:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", target.port, ssl=target.tls, server_hostname="localhost", local_addr=(f"127.0.0.{host}", 0)
        )
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n".encode()
        writer.write((request + b"\r\n") * (requests - 1) + request + b"Connection: close\r\n\r\n")
        said = await asyncio.wait_for(reader.read(-1), 60)
        writer.close()
        return [found.decode() for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", said)]

    answers = await asyncio.gather(*(one() for _ in range(connections)))
    return Counter(status for each in answers for status in each)
