"""A web process that is told to end: streams are closed properly, requests in flight answered, and it is soon gone."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.support.stack import Stack, eventually, streamed

pytestmark = pytest.mark.stack


def end(stack: Stack) -> float:
    """Seconds until the web process has gone."""
    began = time.monotonic()
    stack.kill("web", signal.SIGTERM)
    return time.monotonic() - began


def test_streams_are_closed_and_the_run_goes_on(own_stack: Stack) -> None:
    run = own_stack.train(samples=3000, epochs=4, batch_size=16)
    told: list[dict[str, Any]] = []
    with ThreadPoolExecutor(1) as pool, connect(own_stack.ws_url) as socket:
        reading = pool.submit(told.extend, streamed(own_stack.url))
        eventually(lambda: len(told) > 2, 10, "the event stream")
        assert end(own_stack) < 3
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                socket.recv(30)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        reading.result(5)
    assert not any("close" in message.values() for message in told), "the run goes on"
    assert "Traceback" not in own_stack.log("web")
    own_stack.start_web()
    assert own_stack.ended(run)["status"] == "completed"


def slow_request(stack: Stack) -> httpx.Response:
    """A request that waits for a Redis that does not answer."""
    return httpx.post(f"{stack.url}/api/retrain_model/", timeout=20)


def begin_slow_request(stack: Stack, pool: ThreadPoolExecutor):
    stack.kill("redis", signal.SIGSTOP)
    asked = pool.submit(slow_request, stack)
    eventually(lambda: stack.http.get("/api/runs/", params={"status": "queued"}).json()["results"], 5, "the new run")
    return asked


@pytest.mark.deployments("granian")
def test_a_request_in_flight_is_answered(own_stack: Stack) -> None:
    with ThreadPoolExecutor(1) as pool:
        asked = begin_slow_request(own_stack, pool)
        assert end(own_stack) < 10
        answer = asked.result(1)
    assert (answer.status_code, answer.json()["code"]) == (503, "queue_unavailable")


def test_a_second_ctrl_c_ends_it_at_once(own_stack: Stack) -> None:
    with ThreadPoolExecutor(1) as pool:
        asked = begin_slow_request(own_stack, pool)
        web = own_stack.processes["web"]
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT):
            assert web.poll() is None, "a second SIGTERM says nothing new"
            web.send_signal(number)
            time.sleep(0.2)
        assert web.wait(1) == -signal.SIGINT
        with pytest.raises(httpx.TransportError):
            asked.result(5)
