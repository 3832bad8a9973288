"""Those who ask for runs and look on during a storm: rows, WebSockets, event streams, drawings."""

import json
import random
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

import httpx
import psycopg
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.campaigns.storm.cluster import WORKERS, Cluster
from tests.campaigns.storm.history import History
from tests.support.drawings import draw, encode
from tests.support.stack import Stack, streamed

ROW = ("id", "status", "attempt", "seq", "heartbeat_at", "stop_requested_at", "model_id", "error_code", "max_epochs")
EXPRESSIONS = {  # in words that SQLite and PostgreSQL share; times are told apart, never computed with
    "heartbeat_at": "CAST(heartbeat_at AS TEXT)",
    "stop_requested_at": "CAST(stop_requested_at AS TEXT)",
    "max_epochs": "CAST(parameters ->> 'epochs' AS INTEGER)",
}
COLUMNS = ", ".join(EXPRESSIONS.get(name, name) for name in ROW)
DRAWING = encode(draw(7))
NEWEST = 3  # rows that a sample looks at: an older run has ended, and is looked at again in the end
ASKERS, STOP_SHARE = 3, 0.02  # of the requests are stops
ASKING_SECONDS, DRAWING_SECONDS = (0.3, 2.0), (0.1, 0.5)  # pauses
TIMEOUT_SECONDS = 20
KEPT = ("run", "code", "model", "prediction", "confidence")  # of an answer


class Witnesses:
    """Threads that write what they see into the history until they are told to stop."""

    def __init__(self, cluster: Cluster, history: History, seed: int) -> None:
        self.cluster, self.history, self.seed = cluster, history, seed
        self.over, self.enough = threading.Event(), threading.Event()
        self.threads: list[threading.Thread] = []

    def start(self) -> None:
        self.run(self.rows)
        self.run(self.trainers)
        for number, (name, url) in enumerate(list(self.cluster.urls.items()) * 2):
            self.run(self.websocket, f"ws-{number}", url.replace("http", "ws") + "/ws/training/")
            self.run(self.event_stream, f"sse-{number}", url)
            if number < 2:
                self.run(self.drawings, name)
        self.askers = [self.run(self.requests, random.Random(self.seed * 100 + number)) for number in range(ASKERS)]

    def run(self, look: Callable[..., None], *values: Any) -> threading.Thread:
        thread = threading.Thread(target=self.look_on, args=(look, *values), daemon=True)
        thread.start()
        self.threads.append(thread)
        return thread

    def look_on(self, look: Callable[..., None], *values: Any) -> None:
        """A witness that goes blind is a violation: what it would have seen is not known."""
        try:
            look(*values)
        except Exception as error:
            self.history.add("blind", witness=look.__name__, error=repr(error))
            raise

    def stop_asking(self) -> None:
        """No run is asked for from now on."""
        self.enough.set()
        for thread in self.askers:
            thread.join()

    def stop(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join(15)

    def note_changes(self, kind: str, name: str, look: Callable[[], list[Any]], seconds: float) -> None:
        """Look again and again; what is as before is not written down again."""
        before: list[Any] = []
        while not self.over.wait(seconds):
            if (state := look()) != before:
                self.history.add(kind, **{name: state})
            before = state

    def rows(self) -> None:
        """The database as it is, ten times a second."""
        with closing(read_only(self.cluster)) as connection:
            self.note_changes("rows", "runs", lambda: sample(connection, NEWEST), 0.1)

    def trainers(self) -> None:
        """Which workers have a training process."""
        look = lambda: [name for name in WORKERS if self.cluster.children(name)]  # noqa: E731
        self.note_changes("trainers", "workers", look, 0.25)

    def websocket(self, client: str, url: str) -> None:
        """Connects again whenever it is cut."""
        connection = 0
        while not self.over.wait(0.3):
            connection += 1
            with suppress(OSError, WebSocketException, TimeoutError), connect(url, open_timeout=5) as socket:
                while not self.over.is_set():
                    self.keep(client, connection, json.loads(socket.recv(30)))

    def keep(self, client: str, connection: int, message: dict[str, Any]) -> None:
        """What belongs to a run, but no batches; of a snapshot what can be checked."""
        kind, run = message["type"], message.get("run")
        if kind in {"batch", "phase", "activated"}:
            return
        values: dict[str, Any] = {"run": run, "status": kind}
        if kind == "snapshot":
            values = {"run": None} if run is None else {"run": run["id"], "status": run["status"]}
            values["epochs"] = [e["epoch"] for e in run["epochs"]] if run else []
        elif kind == "epoch":
            values["epoch"] = message["epoch"]
        self.history.add("ws", client=client, connection=connection, type=kind, seq=message["seq"], **values)

    def event_stream(self, client: str, url: str) -> None:
        """Reads one stream after the other."""
        connection = 0
        while not self.over.wait(0.5):
            connection += 1
            with suppress(httpx.HTTPError):
                for told in streamed(url):
                    if not self.over.is_set():
                        self.history.add("sse", client=client, connection=connection, told=told)

    def drawings(self, web: str) -> None:
        """Draws a digit again and again."""
        pause = random.Random(web)
        with httpx.Client(timeout=TIMEOUT_SECONDS, headers={"Content-Type": "image/png"}) as client:
            while not self.over.wait(pause.uniform(*DRAWING_SECONDS)):
                self.ask(client, "drawing", web, "drawing", content=DRAWING)

    def requests(self, rng: random.Random) -> None:
        """Asks for runs, and at times for a stop."""
        with httpx.Client(timeout=TIMEOUT_SECONDS, headers={"Connection": "close"}) as client:
            while not self.enough.wait(rng.uniform(*ASKING_SECONDS)):
                web = rng.choice(sorted(self.cluster.urls))
                body = {"samples": rng.choice([500, 2000]), "epochs": rng.randint(2, 20), "batch_size": 16}
                body |= {"activate": rng.random() < 0.5, "seed": rng.randrange(1000)}
                if rng.random() < STOP_SHARE:
                    self.ask(client, "request", web, "stop_training", json={})
                else:
                    self.ask(client, "request", web, "retrain_model", json=body)

    def ask(self, client: httpx.Client, kind: str, web: str, what: str, **content: Any) -> None:
        """Write down the answer; its status is 0 where none comes, and then its code says why."""
        asked, values = self.history.now(), dict.fromkeys(KEPT)
        try:
            answer = client.post(f"{self.cluster.urls[web]}/api/{what}/", **content)
            told = answer.json()
            values = {name: told.get(name) for name in KEPT} | {"status": answer.status_code}
        except httpx.HTTPError as error:
            values |= {"status": 0, "code": type(error).__name__}
        self.history.add(kind, what=what, web=web, asked=asked, answered=self.history.now(), **values)


Connection = sqlite3.Connection | psycopg.Connection[Any]


def read_only(stack: Stack) -> Connection:
    """A look at the stack's database from outside of the product."""
    if url := stack.environment.get("DATABASE_URL"):
        return psycopg.connect(url, autocommit=True, options="-c default_transaction_read_only=on")
    return sqlite3.connect(f"file:{stack.folder / 'digits.sqlite3'}?mode=ro", uri=True, timeout=20)


def sample(connection: Connection, newest: int | None = None) -> list[dict[str, Any]]:
    """Runs, oldest first, with the epochs that have rows, from one reading of the database."""
    limit = "" if newest is None else f"LIMIT {newest}"
    postgres = isinstance(connection, psycopg.Connection)
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ" if postgres else "BEGIN")
    try:
        rows = connection.execute(f"SELECT {COLUMNS} FROM training_trainingrun ORDER BY id DESC {limit}")
        runs = [dict(zip(ROW, row, strict=True)) for row in rows][::-1]
        for run in runs:
            query = f"SELECT epoch, loss FROM training_epoch WHERE run_id = {run['id']} ORDER BY epoch"
            run["epochs"] = [list(row) for row in connection.execute(query)]
        return runs
    finally:
        connection.rollback()
