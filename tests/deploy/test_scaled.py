"""`make run-scaled`: what nginx, granian and daphne do together, and what each kill leaves behind."""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import psutil
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.support.drawings import data_url, draw, encode
from tests.support.scaled import Scaled
from tests.support.stack import PATIENCE_SECONDS, eventually
from tests.support.watcher import Watcher

pytestmark = pytest.mark.stack
DRAWING = {"drawing": data_url(encode(draw(7)))}
PASSING = re.compile(r"postgres: (\w+ \w+ (\S+\(|\[local])|autovacuum worker)")
SEEN_BY_CACHES = ("content-type", "cache-control", "content-encoding", "vary", "x-content-type-options")


@pytest.fixture(scope="module", autouse=True)
def slow_clients(shared_scaled: Scaled) -> Iterator[list[tuple[float, socket.socket]]]:
    """Clients that begin a request before the first test here and never finish it; the last test looks at them."""
    begun = []
    head = b"POST /api/drawing/ HTTP/1.1\r\nHost: localhost\r\n"
    for sent in [head] * 20 + [head + b"Content-Length: 5000\r\nContent-Type: image/png\r\n\r\nx"] * 20:
        client = socket.create_connection(("127.0.0.1", shared_scaled.port))
        client.sendall(sent)
        begun.append((time.monotonic(), client))
    yield begun
    for _, client in begun:
        client.close()


def address_in_page(http: httpx.Client, ending: str) -> str:
    page = http.get("/", headers={"Accept": "text/html"}).text
    found = re.search(rf'"(/static/[^"]+\.[0-9a-f]{{12}}\.{ending})"', page)
    assert found, page
    return found[1]


@pytest.mark.parametrize("ending", ["css", "js"])
def test_static_files_come_from_nginx_with_the_headers_of_the_product(scaled: Scaled, ending: str) -> None:
    path = address_in_page(scaled.http, ending)
    answer, own = scaled.http.get(path), httpx.get(scaled.daphne_url + path)
    assert answer.headers["server"] == "nginx"
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    for name in SEEN_BY_CACHES:
        assert answer.headers[name] == own.headers[name].replace('"', ""), name
    assert answer.content == own.content
    again = scaled.http.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    plain = scaled.http.get(path, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == answer.content


def test_answers_carry_the_products_security_headers(scaled: Scaled) -> None:
    through, own = scaled.http.get("/", headers={"Accept": "text/html"}), httpx.get(scaled.granian_url)
    for name in ("x-frame-options", "x-content-type-options", "referrer-policy", "cross-origin-opener-policy"):
        assert through.headers[name] == own.headers[name]
    assert f"ws://127.0.0.1:{scaled.port}" in through.headers["content-security-policy"], "Host passed as it came"


def test_viewers_see_every_epoch_as_it_ends(scaled: Scaled) -> None:
    watcher = Watcher(scaled.ws_url)
    run = int(scaled.http.post("/api/retrain_model/", json={"samples": 600, "epochs": 3}).json()["run"])
    began = time.monotonic()
    with httpx.stream("GET", f"{scaled.url}/api/progress/", timeout=30) as answer:
        times = [
            (time.monotonic() - began, json.loads(line[6:])) for line in answer.iter_lines() if line[:6] == "data: "
        ]
    assert times[0][0] < times[-1][0] / 2, "at once, not when the run has ended"
    assert len(times) > 2
    assert times[-1][1]["reason"] == "completed"
    assert watcher.wait_for_end(run) == "completed"
    assert watcher.epochs[run] == [1, 2, 3]
    watcher.close()


def test_a_page_of_another_port_opens_no_socket(scaled: Scaled) -> None:
    connect(scaled.ws_url, origin=scaled.url).close()
    for origin in ("http://127.0.0.1:1", "http://127.0.0.1"):
        with pytest.raises(InvalidStatus):
            connect(scaled.ws_url, origin=origin)
    with pytest.raises(InvalidStatus):
        connect(scaled.ws_url, additional_headers={"X-Forwarded-For": "192.0.2.1"})


def raw(port: int, request: bytes) -> bytes:
    """What a server says to these bytes, to the end of a JSON object or of the connection."""
    said = b""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client, suppress(ConnectionResetError):
        client.sendall(request)
        while b"}" not in said and (piece := client.recv(65536)):
            said += piece
    return said


HEAD = b"POST /api/drawing/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
CHUNK = b"10000\r\n" + b"x" * 65536 + b"\r\n"
TOO_LARGE = {
    "plain": HEAD + b"Content-Length: 1100000\r\n\r\n" + b"x" * 1_100_000,
    "chunked": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNK * 18 + b"0\r\n\r\n",
    "a length that is not sent": HEAD + b"Content-Length: 1000000000\r\n\r\nx",
}


@pytest.mark.parametrize("way", TOO_LARGE)
@pytest.mark.parametrize("server", ["nginx", "granian"])
def test_a_body_over_the_limit_is_413_in_json(scaled: Scaled, server: str, way: str) -> None:
    port = scaled.port if server == "nginx" else scaled.port_of("granian", "--port")
    head, _, body = raw(port, TOO_LARGE[way]).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413"), head
    assert b"application/json" in head.lower()
    refusal = json.loads(body[body.index(b"{") : body.rindex(b"}") + 1])  # granian sends it in chunks
    assert refusal["code"] == "payload_too_large"
    assert refusal["message"] == refusal["detail"] == "The request body is too large. Send at most 1048576 bytes."


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /api/runs/ HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        (b"GET /api/runs/ HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 40_000 + b"\r\n\r\n", 400),
        (b"GET /api/" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"TRACE /api/runs/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 405),
    ],
    ids=lambda value: str(value)[:30],
)
def test_nginxs_own_refusals_are_json(scaled: Scaled, request_bytes: bytes, status: int) -> None:
    said = raw(scaled.port, request_bytes)
    assert b"<html" not in said.lower()
    assert {"code", "message", "detail"} == set(json.loads(said[said.index(b'{"') :]))
    assert not said.startswith(b"HTTP") or said.startswith(f"HTTP/1.1 {status}".encode())


def test_a_stream_asked_of_granian_is_refused_at_once(scaled: Scaled) -> None:
    answer = httpx.get(f"{scaled.granian_url}/api/progress/", timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (501, "no_streams")


def works(scaled: Scaled) -> bool:
    """A drawing is answered, the database asked, a stream open to its end."""
    try:
        drawn = scaled.http.post("/api/drawing/", json=DRAWING)
        asked = scaled.http.get("/api/check_model_status/")
        streamed = scaled.http.get("/api/progress/")
    except httpx.TransportError:
        return False
    return (drawn.status_code, asked.status_code, streamed.status_code) == (200, 200, 200)


def test_a_worker_of_granian_that_is_killed_is_replaced_while_requests_go_on(scaled: Scaled) -> None:
    answers: list[httpx.Response] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            answers.append(scaled.http.post("/api/drawing/", json=DRAWING))

    with ThreadPoolExecutor(4) as askers:
        for _ in range(4):
            askers.submit(ask)
        try:
            victim = eventually(scaled.granian_workers, PATIENCE_SECONDS, "a worker")[0]
            eventually(lambda: len(answers) > 20, 10, "answers")
            victim.kill()
            eventually(lambda: len(new := scaled.granian_workers()) == 2 and victim not in new, 30, "another worker")
            before = len(answers)
            eventually(lambda: len(answers) > before + 40, 20, "more answers")
        finally:
            done.set()
    failed = [answer for answer in answers if answer.status_code != 200]
    assert len(failed) <= 8, "at most what the killed worker had in hand"
    assert {answer.json()["code"] for answer in failed} <= {"upstream_unavailable"}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in failed)


def test_workers_killed_again_and_again_do_not_end_the_service(scaled: Scaled) -> None:
    """granian gives up when a worker is killed twice within five seconds; deploy/keep starts it again."""
    eventually(lambda: time.time() - scaled.granian().create_time() > 11, 30, "a granian that has stood for a while")
    first = scaled.granian()
    for _ in range(4):
        for worker in scaled.granian_workers():
            with suppress(psutil.NoSuchProcess):  # it may have ended with its main process
                worker.kill()
        time.sleep(0.5)
        if not first.is_running():
            break
    eventually(lambda: scaled.below("granian") and works(scaled), 30, "granian")
    eventually(lambda: len(scaled.granian_workers()) == 2, 30, "both workers")
    assert scaled.processes["up"].poll() is None


def count_lasting(scaled: Scaled, program: str) -> int:
    """How many of its processes last: PostgreSQL has others, which serve a connection or work for a moment."""
    lines = []
    for process in scaled.below(program):
        with suppress(psutil.Error):
            lines.append(" ".join(process.cmdline()))
    return sum(1 for line in lines if not PASSING.match(line))


@pytest.mark.parametrize("programs", [["granian", "digits_site.server", "nginx"], ["postgres"]])
def test_what_is_killed_comes_back(scaled: Scaled, programs: list[str]) -> None:
    """Its workers with it: what serves afterwards are the new one's alone."""
    old = {program: scaled.below(program) for program in programs}
    lasting = {program: count_lasting(scaled, program) for program in programs}
    for processes in old.values():
        processes[0].kill()
    for program, processes in old.items():
        _, left = psutil.wait_procs(processes, timeout=10)
        assert not left, f"orphans: {left}"
        eventually(lambda name=program: scaled.below(name), 30, f"another {program}")
    eventually(lambda: works(scaled), 30, "an answer of each")
    for program, count in lasting.items():
        eventually(lambda name=program, n=count: count_lasting(scaled, name) >= n, 10, f"all processes of {program}")
    assert scaled.processes["up"].poll() is None


def test_slow_clients_are_cut_and_others_do_not_notice(
    scaled: Scaled, slow_clients: list[tuple[float, socket.socket]]
) -> None:
    began = time.monotonic()
    assert works(scaled)
    assert time.monotonic() - began < 5
    for opened, client in slow_clients:
        client.settimeout(max(0.1, opened + 25 - time.monotonic()))
        try:
            said = client.recv(1000)
        except ConnectionResetError:  # its nginx was killed meanwhile
            continue
        assert said == b"" or b'"too_slow"' in said
