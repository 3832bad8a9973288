"""A web process that is told to end: streams are closed properly, requests in flight answered, and it is soon gone."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.support.retries import in_time
from tests.support.scaled import start_granian
from tests.support.stack import PATIENCE_SECONDS, Stack, eventually, streamed
from tests.support.watcher import Watcher

pytestmark = pytest.mark.stack


@contextmanager
def request_in_flight(stack: Stack) -> Iterator[Future[httpx.Response]]:
    """A request that waits for a Redis that does not answer, until it is continued."""
    with ThreadPoolExecutor(1) as pool:
        stack.kill("redis", signal.SIGSTOP)
        small = {"samples": 64, "epochs": 1}
        asked = pool.submit(httpx.post, f"{stack.url}/api/retrain_model/", json=small, timeout=20)
        queued = lambda: stack.http.get("/api/runs/", params={"status": "queued"}).json()["results"]  # noqa: E731
        eventually(queued, 5, "the new run")
        yield asked


def end_with_streams(stack: Stack) -> float:
    """Seconds that a web process with streams of a run took to end."""
    run = stack.train(samples=2000, epochs=8, batch_size=16)
    told: list[dict[str, Any]] = []
    with ThreadPoolExecutor(1) as pool, connect(stack.ws_url) as socket:
        reading = pool.submit(told.extend, streamed(stack.url))
        eventually(lambda: len(told) > 2, 10, "the event stream")
        began = time.monotonic()
        stack.kill("web", signal.SIGTERM)
        seconds = time.monotonic() - began
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                socket.recv(30)
        assert closed.value.rcvd.code == 1012
        reading.result(5)
    assert not any("close" in message.values() for message in told), "the run goes on"
    assert "Traceback" not in stack.log("web")
    stack.start_web()
    viewer = Watcher(stack.ws_url)
    assert viewer.wait_for_end(run) == "completed"
    assert viewer.epochs[run] == list(range(1, 9))
    assert stack.run(run)["attempt"] == 1
    return seconds


def test_streams_are_closed_and_the_run_goes_on(stack: Stack) -> None:
    in_time(lambda: end_with_streams(stack), 3)


@pytest.mark.parametrize("server", ["daphne", "granian"])
def test_a_request_in_flight_is_answered(stack: Stack, server: str) -> None:
    if server == "granian":
        stack.kill("web", signal.SIGTERM)
        start_granian(stack)
    with request_in_flight(stack) as asked:
        began = time.monotonic()
        stack.processes["web"].send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert not asked.done()
        stack.kill("redis", signal.SIGCONT)
        assert asked.result(10).status_code == 202
        stack.processes["web"].wait(20)
    assert time.monotonic() - began < 10


def test_a_second_ctrl_c_ends_it_at_once(stack: Stack) -> None:
    with request_in_flight(stack) as asked:
        web = stack.processes["web"]
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT):
            assert web.poll() is None, "a second SIGTERM says nothing new"
            web.send_signal(number)
            eventually(lambda: "shutting down" in stack.log("web"), PATIENCE_SECONDS, "the first SIGTERM's effect")
            time.sleep(0.2)
        assert web.wait(1) == -signal.SIGINT
        with pytest.raises(httpx.TransportError):
            asked.result(5)
