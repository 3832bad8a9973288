"""A client reads the answer to a request whose body the product did not need, whenever the body arrives."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from io import BytesIO
from itertools import product
from typing import Any

import psutil
import pytest
from django.conf import settings

from digits_site.web.middleware.lingering_close import LINGER_BYTES, LingeringClose
from tests.support.early_answers import Refused, send_all
from tests.support.memory import Weight
from tests.support.scaled import OnGranian
from tests.support.stack import Stack
from tests.support.wire import read_all

LIMIT, PICTURE_LIMIT = settings.MAX_BODY_BYTES, settings.MAX_PICTURE_BYTES
MOST_MEGABYTES = 160.0  # of two processes; 32 of these pictures have 268
CLIENTS = 8
FOREIGN_PAGE = Refused(403, headers=(("Origin", "http://evil.example"),))
EARLY = {
    "foreign host": Refused(400, headers=(("Host", "evil.example"),)),
    "foreign page": FOREIGN_PAGE,
    "proxied": Refused(403, headers=(("X-Forwarded-For", "10.0.0.1"),)),
    "no CSRF token": Refused(403, "/admin/logout/"),
    "wrong token": Refused(401, "/api/stop_training/", headers=(("Authorization", "Token digits_wrong"),)),
    "no such path": Refused(404, "/api/nothing/"),
    "wrong method": Refused(405, "/api/check_model_status/", method="PUT"),
    "over the rate": Refused(429),
    "a body where none is read": Refused(200, "/healthz", method="GET"),
}


def on(*servers: type[Stack]) -> pytest.MarkDecorator:
    """Run a test against each of these servers: OnGranian, or Stack for daphne."""
    return pytest.mark.parametrize("server", servers, indirect=True)


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The server that a test names (`on`)."""
    with closing(request.param(tmp_path_factory.mktemp("early"), PREDICT_RATE="1/hour", MALLOC_ARENA_MAX="1")) as stack:
        stack.start(worker=False)
        stack.http.post("/api/drawing/")  # uses up the rate
        yield stack


@pytest.mark.stack
@on(OnGranian, Stack)
def test_every_client_reads_its_answer(server: Stack) -> None:
    """With bodies of every size, with a length and chunked, on kept and on new connections."""
    kinds = EARLY if isinstance(server, OnGranian) else ("foreign host", "foreign page", "proxied")
    sizes, no_yes = (0, 7_000, 70_000, LIMIT - 1), (False, True)
    for kind, size, chunked, kept in product(kinds, sizes, no_yes, no_yes):
        request = EARLY[kind].encode(size, chunked=chunked)
        outcome = send_all(server.port, request, 2 * CLIENTS, clients=CLIENTS, kept=kept, pause=0.01)
        assert not outcome.lost, (kind, size, chunked, kept)
        assert outcome.answered == {EARLY[kind].status: 2 * CLIENTS}, (kind, size, chunked, kept)


@pytest.mark.stack
@on(OnGranian, Stack)
def test_a_client_reads_that_its_body_is_too_large(server: Stack) -> None:
    for size, chunked in product((LIMIT + 1, 5 * LIMIT), (False, True)):
        request = Refused(413).encode(size, chunked=chunked)
        outcome = send_all(server.port, request, CLIENTS, clients=CLIENTS, pause=0.01)
        assert (outcome.answered, outcome.lost) == ({413: CLIENTS}, {}), (size, chunked)


@pytest.mark.stack
@on(OnGranian)
def test_large_pictures_at_once_cost_bounded_memory(server: Stack) -> None:
    """At most two are in the memory of a process, others are refused as busy, and none stays there afterwards."""
    picture = (("Content-Type", "image/png"),)
    usual, large = (Refused(429, headers=picture).encode(size) for size in (LIMIT, PICTURE_LIMIT))
    send_all(server.port, usual, 2 * CLIENTS, clients=CLIENTS, pause=0.01)
    web = psutil.Process(server.processes["web"].pid)
    weight = Weight(lambda: [web, *web.children(recursive=True)])
    for _ in range(3):
        outcome = send_all(server.port, large, 4 * CLIENTS, clients=4 * CLIENTS, pause=1)
        assert set(outcome.answered) <= {429, 503}
    assert weight.peak() - weight.seen[0] < MOST_MEGABYTES


@pytest.mark.stack
@on(OnGranian)
def test_a_body_without_end_is_not_read_for_ever(server: Stack) -> None:
    head = Refused(413).encode(0, chunked=True).partition(b"0\r\n\r\n")[0]
    piece = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    sent = 0
    with socket.create_connection(("127.0.0.1", server.port), 30) as client:
        client.sendall(head)
        with pytest.raises(ConnectionError):
            while sent < 10 * LINGER_BYTES:
                client.sendall(piece)
                sent += len(piece)
        answer = read_all(client)
    assert sent < 4 * LINGER_BYTES  # twice, and what the kernel keeps
    assert answer.startswith(b"HTTP/1.1 413")


@pytest.mark.stack
@on(OnGranian, Stack)
def test_a_client_that_waits_to_be_told_to_go_on_is_answered(server: Stack) -> None:
    expecting = Refused(403, headers=(*FOREIGN_PAGE.headers, ("Expect", "100-continue"), ("Connection", "close")))
    request = expecting.encode(LIMIT)
    with socket.create_connection(("127.0.0.1", server.port), 30) as client:
        client.sendall(request[:-LIMIT])
        assert client.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(request[-LIMIT:])
        assert read_all(client).startswith(b"HTTP/1.1 403")


@pytest.mark.stack
@on(OnGranian)
def test_clients_that_trickle_refused_bodies_leave_threads_for_others(server: Stack) -> None:
    """More of them than granian has threads, all of which stay until others have been answered."""
    head = FOREIGN_PAGE.encode(LIMIT)[:-LIMIT]
    over = threading.Event()

    def trickle(client: socket.socket) -> None:
        with client, suppress(ConnectionError):  # answered and closed
            client.sendall(head)
            while not over.wait(0.2):
                client.sendall(b"x")

    with ThreadPoolExecutor(20) as pool:
        for _ in range(20):
            pool.submit(trickle, socket.create_connection(("127.0.0.1", server.port), 30))
        try:
            for _ in range(CLIENTS):
                assert server.http.get("/healthz").status_code == 200
        finally:
            over.set()


# --- The middleware alone ---

CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked"}


@pytest.mark.parametrize(
    ("size", "headers", "left_at_answer", "left_at_close"),
    [
        (10 * LINGER_BYTES, CHUNKED, 9 * LINGER_BYTES, 8 * LINGER_BYTES),
        (LIMIT + 1, {"CONTENT_LENGTH": str(LIMIT + 1)}, LIMIT + 1, 0),  # too large by its length
        (100, {"CONTENT_LENGTH": "5", "wsgi.input_terminated": False}, 100, 100),  # its end is not marked
    ],
    ids=["endless", "too large", "unmarked end"],
)
def test_a_refused_body_is_read_within_bounds(
    size: int, headers: dict[str, Any], left_at_answer: int, left_at_close: int
) -> None:
    body = BytesIO(bytes(size))
    environ = {"wsgi.input": body, "wsgi.input_terminated": True, **headers}
    answer: Any = LingeringClose(lambda environ, start_response: [b"no"])(environ, print)
    assert size - body.tell() == left_at_answer
    assert list(answer) == [b"no"]
    getattr(answer, "close", list)()
    assert size - body.tell() == left_at_close


def test_an_application_that_fails_leaves_nothing_unread() -> None:
    body = BytesIO(bytes(100_000))

    def fail(environ: object, start_response: object) -> list[bytes]:
        raise RuntimeError

    environ = {"wsgi.input": body, "wsgi.input_terminated": True, "CONTENT_LENGTH": "100000"}
    with pytest.raises(RuntimeError):
        LingeringClose(fail)(environ, print)
    assert body.tell() == 100_000


@pytest.mark.parametrize("headers", [{"CONTENT_LENGTH": "100"}, CHUNKED])
def test_a_body_that_the_application_has_read_costs_nothing(headers: dict[str, str]) -> None:
    answer = [b"yes"]

    def read_body(environ: dict[str, BytesIO], start_response: object) -> list[bytes]:
        environ["wsgi.input"].read(100 if "CONTENT_LENGTH" in environ else 200)
        return answer

    environ = {"wsgi.input": BytesIO(bytes(100)), "wsgi.input_terminated": True, **headers}
    assert LingeringClose(read_body)(environ, print) is answer
