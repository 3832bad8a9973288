"""PostgreSQL is really restarted, and its connections really run out: on a server of these tests' own."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import psycopg
import pytest

from digits_site.backends.databases import POOL_WAIT_SECONDS
from tests.support.drawings import draw, encode
from tests.support.postgres import Server, program
from tests.support.prepared import run
from tests.support.retries import in_time
from tests.support.stack import PATIENCE_SECONDS, Stack, eventually, running, streamed
from tests.support.watcher import Watcher

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(program("postgres") is None, reason="THERE IS NO POSTGRESQL HERE: apt-get install postgresql"),
]
EPOCHS = 10
AWAY_SECONDS = 5  # epochs end while nobody can write them down


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with closing(Server()) as server:
        yield server


@pytest.fixture(scope="module")
def on_postgres(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("postgres"), DATABASE_URL=server.url, DATABASE_POOL="4") as stack:
        yield stack


def asked_together(stack: Stack, number: int) -> list[httpx.Response]:
    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(lambda _: stack.http.get("/api/runs/"), range(number)))


def wait_until_all_are_served(stack: Stack, number: int) -> None:
    """Ask together until all are answered: on a busy machine, some wait too long for a connection.

    They are refused after POOL_WAIT_SECONDS. A dead connection that is handed out is an error at once.
    """

    def served() -> bool:
        refused = [answer for answer in asked_together(stack, number) if answer.status_code != 200]
        assert [a.text for a in refused if a.elapsed.total_seconds() < POOL_WAIT_SECONDS] == []
        assert {a.status_code for a in refused} <= {503}
        return not refused

    eventually(served, PATIENCE_SECONDS, "answers to all")


def drawn(stack: Stack) -> tuple[int, int | None]:
    answer = stack.http.post("/api/drawing/", content=encode(draw(7)), headers={"Content-Type": "image/png"})
    return answer.status_code, answer.json().get("prediction")


def test_a_run_outlives_a_restart_and_a_crash_of_postgresql(server: Server, on_postgres: Stack) -> None:
    """503 while it is away; the epochs that ended meanwhile have their rows once it is back."""
    viewer = Watcher(on_postgres.ws_url)
    run = on_postgres.train(samples=3000, epochs=EPOCHS, batch_size=16, seed=3)
    on_postgres.begun(run)
    assert drawn(on_postgres) == (200, 7)
    refused_after, answered_after = [], []  # seconds
    for how in (signal.SIGINT, signal.SIGQUIT):
        asked_together(on_postgres, 4)  # so that the pool holds several connections, all of which will be dead
        before = on_postgres.run(run)["epochs"]
        server.stop(how)
        away = time.monotonic()
        answer = on_postgres.http.get("/api/runs/")
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert answer.headers["Retry-After"]
        refused_after.append(time.monotonic() - away)
        checks = on_postgres.http.get("/readyz").json()["checks"]
        assert checks == {"database": False, "redis": True, "model": True}
        assert drawn(on_postgres) == (200, 7), "the model in memory goes on answering"
        time.sleep(max(0.0, AWAY_SECONDS - (time.monotonic() - away)))
        server.start()
        back = time.monotonic()
        eventually(lambda: on_postgres.http.get("/api/runs/").status_code == 200, 30, "an answer")
        answered_after.append(time.monotonic() - back)
        wait_until_all_are_served(on_postgres, 12)
        assert on_postgres.run(run)["epochs"][: len(before)] == before
    assert min(refused_after) < POOL_WAIT_SECONDS + 3
    assert min(answered_after) < POOL_WAIT_SECONDS + 3
    ended = on_postgres.ended(run)
    assert (ended["status"], ended["attempt"]) == ("completed", 1), ended
    assert [e["epoch"] for e in ended["epochs"]] == list(range(1, EPOCHS + 1))
    assert viewer.wait_for_end(run) == "completed"
    assert viewer.epochs[run] == list(range(1, EPOCHS + 1))


def exhaust_pool(server: Server, on_postgres: Stack) -> float:
    """Seconds until requests were refused while four waited for a locked table, each with one of four connections."""
    asked_together(on_postgres, 1)
    with closing(psycopg.connect(server.url)) as lock, ThreadPoolExecutor(12) as pool:
        lock.execute("LOCK TABLE training_trainingrun IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        waiting = [pool.submit(on_postgres.http.get, "/api/runs/") for _ in range(12)]
        refused = lambda: [f.result() for f in waiting if f.done()]  # noqa: E731
        # The look-outs of the web process want a connection now and then, too.
        eventually(lambda: len(refused()) >= 8, 20, "the refusals")
        seconds = time.monotonic() - began
        assert {(a.status_code, a.json()["code"]) for a in refused()} == {(503, "database_unavailable")}
        assert on_postgres.http.get("/healthz").status_code == 200
        lock.rollback()
        answers = [future.result() for future in waiting]
    assert [a.status_code for a in answers].count(200) >= 3
    wait_until_all_are_served(on_postgres, 12)
    return seconds


def test_when_the_pool_is_exhausted_a_request_is_refused_soon(server: Server, on_postgres: Stack) -> None:
    """It does not wait for 30 seconds."""
    in_time(lambda: exhaust_pool(server, on_postgres), POOL_WAIT_SECONDS + 5)


def test_viewers_hold_no_connection(server: Server, on_postgres: Stack) -> None:
    """Many more of them than the pool has connections."""
    run = on_postgres.train(samples=3000, epochs=50, batch_size=16, seed=3)
    on_postgres.begun(run)
    viewers = [Watcher(on_postgres.ws_url) for _ in range(12)]
    with ThreadPoolExecutor(12) as pool:
        streams = [pool.submit(list, streamed(on_postgres.url)) for _ in range(12)]
        time.sleep(1)
        wait_until_all_are_served(on_postgres, 8)
        with closing(psycopg.connect(server.url)) as look:
            count = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'digits' AND pid <> pg_backend_pid()"
            (connections,) = look.execute(count).fetchone()
        assert connections <= 2 * 4, "web and worker have four each"
        on_postgres.http.post("/api/stop_training/")
        assert {stream.result()[-1]["reason"] for stream in streams} == {"interrupted"}
    assert {viewer.wait_for_end(run) for viewer in viewers} == {"interrupted"}


def test_a_server_that_vanishes_without_a_word_is_given_up_within_seconds(server: Server, tmp_path: Path) -> None:
    """Asked of the kernel, which gives the connection up: a test would have to close a firewall to see it happen."""
    code = (
        "import os, socket; from django.db import connection; connection.ensure_connection();"
        "own = socket.socket(fileno=os.dup(connection.connection.fileno()));"
        "print(*(own.getsockopt(socket.IPPROTO_TCP, getattr(socket, f'TCP_{name}'))"
        "        for name in ('USER_TIMEOUT', 'KEEPIDLE', 'KEEPINTVL', 'KEEPCNT')))"
    )
    with closing(Stack(tmp_path, DATABASE_URL=server.url)) as stack:
        user_timeout, idle, interval, count = map(int, stack.manage("shell", "--verbosity", "0", "-c", code).split())
    assert 0 < user_timeout <= 15_000, "for what was sent and is not acknowledged"
    assert 0 < idle + interval * count <= 15, "while an answer is waited for"


def test_the_pool_can_be_done_without(server: Server, tmp_path: Path) -> None:
    code = "from django.db import connection; connection.ensure_connection(); print(connection.pool)"
    process = ("-c", f"import django; django.setup(); {code}")
    with closing(Stack(tmp_path, DATABASE_URL=server.url, DATABASE_POOL="4")) as stack:
        assert run(stack.environment, *process).strip() != "None"
        assert stack.manage("shell", "--verbosity", "0", "-c", code).strip() == "None", "a command needs none"
        assert run(stack.environment | {"DATABASE_POOL": "0"}, *process).strip() == "None"
