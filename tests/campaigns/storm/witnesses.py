"""Those who look on during a storm: rows, WebSockets, event streams, drawings."""

import json
import random
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
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
SAMPLE_SECONDS = 0.1
DRAWING = encode(draw(7))
NEWEST = 3  # rows that a sample looks at: an older run has ended, and is looked at again in the end


class Witnesses:
    """Threads that write what they see into the history until they are told to stop."""

    def __init__(self, cluster: Cluster, history: History) -> None:
        self.cluster, self.history = cluster, history
        self.over = threading.Event()
        self.threads: list[threading.Thread] = []

    def start(self) -> None:
        self.run(self.rows)
        self.run(self.trainers)
        for number, (name, url) in enumerate(list(self.cluster.urls.items()) * 2):
            self.run(self.websocket, f"ws-{number}", url.replace("http", "ws") + "/ws/training/")
            self.run(self.event_stream, f"sse-{number}", url)
            if number < 2:
                self.run(self.drawings, name, url)

    def run(self, look: Callable[..., None], *values: Any) -> None:
        thread = threading.Thread(target=self.look_on, args=(look, *values), daemon=True)
        thread.start()
        self.threads.append(thread)

    def look_on(self, look: Callable[..., None], *values: Any) -> None:
        """A witness that goes blind is a violation: what it would have seen is not known."""
        try:
            look(*values)
        except Exception as error:
            self.history.add("blind", witness=look.__name__, error=repr(error))
            raise

    def stop(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join(15)

    def rows(self) -> None:
        """The database as it is, ten times a second; what is as before is not written down again."""
        with closing(read_only(self.cluster)) as connection:
            before: list[Any] = []
            while not self.over.wait(SAMPLE_SECONDS):
                state = sample(connection, NEWEST)
                if state != before:
                    self.history.add("rows", runs=state)
                before = state

    def trainers(self) -> None:
        """Which workers have a training process."""
        before: list[str] = []
        while not self.over.wait(0.25):
            busy = [name for name in WORKERS if self.cluster.children(name)]
            if busy != before:
                self.history.add("trainers", workers=busy)
            before = busy

    def websocket(self, client: str, url: str) -> None:
        """Connects again whenever it is cut."""
        connection = 0
        while not self.over.is_set():
            connection += 1
            try:
                with connect(url, open_timeout=5) as socket:
                    while not self.over.is_set():
                        self.keep(client, connection, json.loads(socket.recv(30)))
            except (OSError, WebSocketException, TimeoutError):
                self.over.wait(0.3)

    def keep(self, client: str, connection: int, message: dict[str, Any]) -> None:
        """All but batches, and of a snapshot what can be checked."""
        kind, run = message["type"], message.get("run")
        if kind in {"batch", "phase"}:
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
            try:
                for told in streamed(url):
                    if not self.over.is_set():
                        self.history.add("sse", client=client, connection=connection, told=told)
            except httpx.HTTPError:
                continue

    def drawings(self, name: str, url: str) -> None:
        """Draws a digit again and again."""
        pause = random.Random(name)
        with httpx.Client(timeout=20) as client:
            while not self.over.wait(pause.uniform(0.1, 0.5)):
                asked = self.history.now()
                try:
                    headers = {"Content-Type": "image/png"}
                    answer = client.post(f"{url}/api/drawing/", content=DRAWING, headers=headers)
                    told = answer.json()
                    values = {k: told.get(k) for k in ("model", "prediction", "confidence", "code")}
                    self.history.add("drawing", web=name, asked=asked, status=answer.status_code, **values)
                except httpx.HTTPError as error:
                    self.history.add("drawing", web=name, asked=asked, status=0, error=type(error).__name__)


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
