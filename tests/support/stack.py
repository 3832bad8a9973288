"""The product as it runs: daphne, a Celery worker and Redis as processes, over a data folder of their own."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

from tests.support import children
from tests.support.environment import start_redis, stop
from tests.support.ports import free_port, wait_for_port
from tests.support.postgres import create_database, drop_database, is_postgres
from tests.support.prepared import ROOT, prepare, prepared, run
from training.learner.config import KERAS_LEARNER

BIN = Path(sys.executable).parent
T = TypeVar("T")
HASTY_SECONDS = 5.0  # a RUN_LOST_SECONDS for tests that wait for a lost run
NUMPY_LEARNER = "tests.support.numpy_learner.fit"
# For what takes longer on a busy machine. What the product promises within a time has a bound of its own.
PATIENCE_SECONDS = 240.0


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
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


class Stack:
    """Starts, kills and asks the processes.

    `learner` trains: Keras' own, which tests/conftest.py replaces by NUMPY_LEARNER for stacks that do not name one.
    """

    default_learner = KERAS_LEARNER

    def __init__(self, folder: Path, *, learner: str = "", **environment: str) -> None:
        self.folder, self.port, self.redis_port = folder, free_port(), free_port()
        self.url, self.ws_url = f"http://127.0.0.1:{self.port}", f"ws://127.0.0.1:{self.port}/ws/training/"
        self.environment = os.environ | {
            "DATA_DIR": str(folder),
            "REDIS_URL": f"redis://127.0.0.1:{self.redis_port}/0",
            "WATCHDOG": "true",
            "DAILY_STATISTICS": "true",
            "LEARNER": learner or self.default_learner,
            "PORT": str(self.port),
            **environment,
        }
        self.database_server = "" if "DATABASE_URL" in environment else os.environ.get("DATABASE_URL", "")
        self.own_database = ""
        self.like_others = not {"DATABASE_URL", "MODEL_STORAGE_URL"} & environment.keys()
        if self.environment.get("DIGITS_MODE") == "public":
            self.environment["LEARNER"] = KERAS_LEARNER  # it takes no other
        if is_postgres(self.database_server):  # two stacks do not share a database
            template = prepared()[1] if self.like_others else ""
            self.environment["DATABASE_URL"] = self.own_database = create_database(self.database_server, template)
        elif "DATABASE_URL" not in environment:
            self.environment.pop("DATABASE_URL", None)  # SQLite, in the folder
        self.http = httpx.Client(base_url=self.url, timeout=30)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def manage(self, *words: str) -> str:
        return run(self.environment, "manage.py", *words)

    def start(self, worker: bool = True) -> None:
        """Without a worker, a run that is asked for stays queued."""
        self.start_redis()
        self.prepare()
        if worker:
            self.start_worker()  # it gets ready while the web server does
        self.start_web()

    def prepare(self) -> None:
        if self.like_others:
            shutil.copytree(prepared()[0], self.folder, dirs_exist_ok=True)
        else:
            prepare(self.environment)

    def start_redis(self) -> None:
        self.processes["redis"] = start_redis(self.redis_port, self.folder)

    def start_web(self) -> None:
        self.launch_web("web", self.port)
        wait_for_port(self.port)

    def launch_web(self, name: str, port: int) -> None:
        self.launch(name, "python", "-m", "digits_site.server", "--bind", "127.0.0.1", "--port", str(port))

    def start_worker(self) -> None:
        self.launch_worker("worker")

    def launch_worker(self, name: str) -> None:
        self.launch(name, "celery", "-A", "digits_site", "worker", "--pool", "threads", "--concurrency", "1")

    def launch_webhooks(self, **environment: str) -> None:
        """Start the worker for webhooks as the Procfile does, with settings that no other process needs."""
        [line] = re.findall(r"^webhooks: exec deploy/keep celery (.*)$", (ROOT / "Procfile").read_text(), re.M)
        self.launch("webhooks", "celery", *line.split(), **environment)

    def launch(self, name: str, program: str, *words: str, **environment: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [str(BIN / program), *words], cwd=ROOT, env=self.environment | environment, stdout=log, stderr=log
            )

    def kill(self, name: str, how: int = signal.SIGKILL) -> None:
        """Send a signal to one process, and wait for its end where that ends it."""
        self.processes[name].send_signal(how)
        if how in {signal.SIGKILL, signal.SIGTERM}:
            self.processes[name].wait(60)

    def pause(self, name: str) -> None:
        """Stop a process where it holds no lock of the database, which others would wait for in vain.

        Most likely it would be SQLite's exclusive lock: the last connection that is closed writes the log back.
        """
        eventually(lambda: self.paused_without_lock(name), PATIENCE_SECONDS, f"a moment to stop {name}")

    def paused_without_lock(self, name: str) -> bool:
        self.kill(name, signal.SIGSTOP)
        file = self.folder / "digits.sqlite3"
        if not file.exists():  # PostgreSQL, which locks rows alone
            return True
        try:
            with closing(sqlite3.connect(file, timeout=0.5, isolation_level=None)) as connection:
                connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            self.kill(name, signal.SIGCONT)
            return False
        return True

    def mend(self) -> None:
        """Start again what has ended, and wake what sleeps."""
        starts = {"redis": self.start_redis, "web": self.start_web, "worker": self.start_worker}
        for name, start in starts.items():
            if name in self.processes:
                self.processes[name].send_signal(signal.SIGCONT)
                if self.processes[name].poll() is not None:
                    start()

    def whole_and_idle(self) -> Iterator["Stack"]:
        """For the fixtures of a shared stack: a test may end processes of it. Its logs begin with it."""
        for log in self.folder.glob("*.log"):
            os.truncate(log, 0)
        self.mend()
        self.idle()
        yield self
        self.mend()
        self.idle()

    def training_child(self, worker: str = "worker") -> psutil.Process:
        """The spawned process that trains. A run says that it has begun, or is resumed, before its process is there."""
        return eventually(lambda: self.find_child(worker, trains=True), PATIENCE_SECONDS, "the training process")

    def spare(self) -> psutil.Process:
        """The worker's spare process, when it has started one."""
        return eventually(lambda: self.find_child("worker", trains=False), PATIENCE_SECONDS, "a spare process")

    def find_child(self, worker: str, *, trains: bool) -> psutil.Process | None:
        """The worker's process that trains, or its spare, if there is one that listens: it has lowered its priority."""
        try:
            listening = [child for child in self.spawned(worker) if child.nice() > os.nice(0)]
            return next((child for child in listening if has_run(child) == trains), None)
        except psutil.Error:  # it ends
            return None

    def spawned(self, worker: str) -> list[psutil.Process]:
        return children.spawned(psutil.Process(self.processes[worker].pid))

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

    def ended(self, number: int, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """The run when it is no longer active."""
        unfinished = {"waiting", "queued", "in_progress"}
        return eventually(
            lambda: (r := self.run(number))["status"] not in unfinished and r, seconds, f"the end of {number}"
        )

    def begun(self, number: int, epochs: int = 1) -> None:
        """Wait until the run has finished so many epochs."""
        eventually(lambda: len(self.run(number)["epochs"]) >= epochs, PATIENCE_SECONDS, f"epoch {epochs}")

    def idle(self) -> None:
        """Cancel what waits, stop whatever is active, and wait for its end."""
        for waiting in self.http.get("/api/runs/?status=waiting").json()["results"]:
            self.http.post("/api/stop_training/", json={"run": waiting["id"]})
        answer = self.http.post("/api/stop_training/")
        if answer.status_code == 200:
            self.ended(answer.json()["run"])

    def close(self) -> None:
        """End everything, Redis last. A worker is killed, since its warm shutdown would take a second or two."""
        self.http.close()
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
        redis = self.processes.pop("redis", None)
        for name, process in self.processes.items():
            process.send_signal(signal.SIGKILL if name == "worker" else signal.SIGTERM)
        for process in [*self.processes.values(), *filter(None, [redis])]:
            stop(process)
        if self.own_database:
            drop_database(self.database_server, self.own_database)


def has_run(child: psutil.Process) -> bool:
    """Whether the spawned process writes the log of a run, which a spare does not."""
    return any("/attempt-" in file.path for file in child.open_files())


@contextmanager
def running(folder: Path, *, learner: str = "", worker: bool = True, **environment: str) -> Iterator[Stack]:
    with closing(Stack(folder, learner=learner, **environment)) as stack:
        stack.start(worker)
        yield stack
