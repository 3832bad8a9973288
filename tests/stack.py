"""The product as it runs: daphne, a Celery worker and Redis as processes, over a data folder of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

from tests.environment import folder as scratch
from tests.environment import start_redis, stop
from tests.ports import free_port, wait_for_port
from tests.postgres import create_database, drop_database, is_postgres

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
COLLECTED = scratch / "collected"
T = TypeVar("T")


def eventually(look: Callable[[], T], seconds: float, what: str = "it") -> T:
    """The first true answer of `look`; AssertionError when none comes in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := look():
            return answer
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come about in {seconds} s")


def streamed(url: str) -> Iterator[dict[str, Any]]:
    """The messages of one event stream, to its end. Raises httpx.HTTPError when it is cut off."""
    with httpx.stream("GET", f"{url}/api/progress/", timeout=30) as answer:
        for line in answer.iter_lines():
            if line:
                yield json.loads(line.removeprefix("data: "))


class Stack:
    """Starts, kills and asks the processes."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder, self.port, self.redis_port = folder, free_port(), free_port()
        self.url, self.ws_url = f"http://127.0.0.1:{self.port}", f"ws://127.0.0.1:{self.port}/ws/training/"
        self.environment = os.environ | {
            "DATA_DIR": str(folder),
            "REDIS_URL": f"redis://127.0.0.1:{self.redis_port}/0",
            "WATCHDOG": "true",
            "PORT": str(self.port),
            **environment,
        }
        self.database_server = "" if "DATABASE_URL" in environment else os.environ.get("DATABASE_URL", "")
        self.own_database = ""
        if is_postgres(self.database_server):  # two stacks do not share a database
            self.environment["DATABASE_URL"] = self.own_database = create_database(self.database_server)
        elif "DATABASE_URL" not in environment:
            self.environment.pop("DATABASE_URL", None)  # SQLite, in the folder
        self.http = httpx.Client(base_url=self.url, timeout=30)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def manage(self, *words: str) -> str:
        command = [sys.executable, "manage.py", *words]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True
        ).stdout

    def start(self) -> None:
        self.start_redis()
        self.prepare()
        self.start_web()
        self.start_worker()

    def prepare(self) -> None:
        self.manage("migrate", "--verbosity", "0")
        self.manage("install_model")
        self.collect_static()

    def collect_static(self) -> None:
        """They are the same for all: collected by the first, copied by the others."""
        folder = self.folder / "static"
        if COLLECTED.exists():
            shutil.copytree(COLLECTED, folder, dirs_exist_ok=True)
            return
        self.manage("collectstatic", "--no-input", "--verbosity", "0")
        shutil.copytree(folder, COLLECTED)

    def start_redis(self) -> None:
        self.processes["redis"] = start_redis(self.redis_port, self.folder)

    def start_web(self) -> None:
        self.launch("web", "daphne", "-b", "127.0.0.1", "-p", str(self.port), "digits_site.asgi:application")
        wait_for_port(self.port)

    def start_worker(self) -> None:
        self.launch("worker", "celery", "-A", "digits_site", "worker", "--pool", "threads", "--concurrency", "1")

    def launch(self, name: str, program: str, *words: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [str(BIN / program), *words], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )

    def kill(self, name: str, how: int = signal.SIGKILL) -> None:
        """Send a signal to one process, and wait for its end where that ends it."""
        self.processes[name].send_signal(how)
        if how in {signal.SIGKILL, signal.SIGTERM}:
            self.processes[name].wait(20)

    def training_child(self, worker: str = "worker") -> psutil.Process:
        """The spawned process that trains. Raises StopIteration when there is none."""
        children = psutil.Process(self.processes[worker].pid).children(recursive=True)
        return next(c for c in children if "spawn_main" in " ".join(c.cmdline()))

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def train(self, **parameters: Any) -> int:
        """Ask for a run when no other is active, and return its number."""
        answer = self.http.post("/api/retrain_model/", json=parameters)
        assert answer.status_code == 202, answer.text
        return int(answer.json()["run"])

    def run(self, number: int) -> dict[str, Any]:
        answer: dict[str, Any] = self.http.get(f"/api/runs/{number}/").json()
        return answer

    def ended(self, number: int, seconds: float = 90) -> dict[str, Any]:
        """The run when it is no longer active."""
        active = {"queued", "in_progress"}
        return eventually(
            lambda: (r := self.run(number))["status"] not in active and r, seconds, f"the end of {number}"
        )

    def idle(self) -> None:
        """Stop whatever is active and wait for its end."""
        newest = self.http.get("/api/runs/").json()["results"][:1]
        if newest and newest[0]["status"] in {"queued", "in_progress"}:
            self.http.post("/api/stop_training/")
            self.ended(newest[0]["id"])

    def close(self) -> None:
        """In the reverse order of their start."""
        self.http.close()
        for process in reversed(self.processes.values()):
            process.send_signal(signal.SIGCONT)
            stop(process)
        if self.own_database:
            drop_database(self.database_server, self.own_database)


@contextmanager
def running(folder: Path, **environment: str) -> Iterator[Stack]:
    stack = Stack(folder, **environment)
    try:
        stack.start()
        yield stack
    finally:
        stack.close()
