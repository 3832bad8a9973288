"""How many streams are open, how much a client may say on one, and what those who are refused are told."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect
from websockets.sync.client import ClientConnection, connect

from tests.support.browser import launch_chromium  # noqa: F401
from tests.support.limited import PER_ADDRESS, is_served
from tests.support.retries import in_time
from tests.support.stack import PATIENCE_SECONDS, Stack, eventually

here = pytest.mark.skipif(not Path("/proc").exists(), reason="only Linux answers on the whole of 127.0.0.0/8")
pytestmark = pytest.mark.stack


def socket_from(service: Stack, host: int) -> ClientConnection:
    """A WebSocket from 127.0.0.`host`."""
    return connect(service.ws_url, source_address=(f"127.0.0.{host}", 0))


def asked(service: Stack, host: int) -> httpx.Response:
    """What an event stream from 127.0.0.`host` is answered; it is hung up after its first words."""
    transport = httpx.HTTPTransport(local_address=f"127.0.0.{host}")
    with (
        httpx.Client(transport=transport, timeout=10) as http,
        http.stream("GET", f"{service.url}/api/progress/") as answer,
    ):
        if answer.status_code != 200:
            answer.read()
        return answer


@here
def test_places_are_counted_by_address_and_in_all_and_given_back(service: Stack) -> None:
    with ExitStack() as open_ones:

        def opened(host: int) -> bool:
            return is_served(open_ones.enter_context(socket_from(service, host)))

        assert [opened(2) for _ in range(PER_ADDRESS + 1)] == [True] * PER_ADDRESS + [False]
        answer = asked(service, 2)
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_streams")
        assert answer.json()["message"] == answer.json()["detail"]
        assert int(answer.headers["retry-after"]) > 0
        for _ in range(50):
            with socket_from(service, 2) as refused:
                assert not is_served(refused)
        assert opened(3), "another address has places of its own, of which those who were refused took none"
        assert asked(service, 3).status_code == 200
        eventually(lambda: asked(service, 3).status_code == 200, 5, "the place that the event stream gave back")
        eventually(lambda: opened(3), 5, "the last place")
        assert not opened(4)
        answer = asked(service, 4)
        assert (answer.status_code, answer.json()["code"]) == (503, "busy")
        assert int(answer.headers["retry-after"]) > 0
        assert service.http.get("/healthz").status_code == 200
    eventually(lambda: asked(service, 2).status_code == 200, 10, "the places of those who left")
    with ExitStack() as open_ones:
        eventually(lambda: opened(2), 10, "a socket")
    assert "Traceback" not in service.log("web")


@here
def test_event_streams_take_places_for_as_long_as_they_last(service: Stack) -> None:
    lines: list[Iterator[str]] = []  # kept: httpx hangs up when one of them goes
    with ExitStack() as open_ones:
        http = open_ones.enter_context(httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.5")))
        for _ in range(PER_ADDRESS):
            stream = open_ones.enter_context(http.stream("GET", f"{service.url}/api/progress/", timeout=10))
            assert stream.status_code == 200
            lines.append(stream.iter_lines())
            assert next(lines[-1]).startswith("id: ")
        assert not is_served(open_ones.enter_context(socket_from(service, 5)))
        other = service.http.post("/api/stop_training/", json={"run": 1})
        assert other.json()["code"] == "run_mismatch", "the limit is for streams alone"
    eventually(lambda: asked(service, 5).status_code == 200, 10, "the places of those who hung up")


def hang_up(service: Stack) -> float:
    """Seconds until an event stream had ended whose client was gone."""

    def viewers() -> float:
        lines = service.http.get("/metrics").text.splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith("digits_viewers "))

    eventually(lambda: viewers() == 0, 10, "the end of other tests' streams")
    with httpx.stream("GET", f"{service.url}/api/progress/", timeout=10) as answer:
        lines = answer.iter_lines()  # kept: the end of this generator closes the connection
        next(lines)
        assert viewers() == 1
    gone = time.monotonic()
    eventually(lambda: viewers() == 0, PATIENCE_SECONDS, "the end of the stream")
    return time.monotonic() - gone


def test_an_event_stream_whose_client_is_gone_ends_within_a_second(service: Stack) -> None:
    in_time(lambda: hang_up(service), 1.2)
    assert "Traceback" not in service.log("web")


@here
@pytest.mark.browser
def test_the_page_says_why_it_does_not_watch(service: Stack, chromium: Any) -> None:
    with ExitStack() as open_ones:
        for host in (8, 8, 9, 9, 10):
            assert is_served(open_ones.enter_context(socket_from(service, host)))
        context = chromium.new_context()
        open_ones.callback(context.close)
        page = context.new_page()
        page.goto(f"{service.url}/")
        status = page.locator("[data-connection]")
        expect(status).to_contain_text("Too many viewers. Reconnecting in", timeout=15_000)
