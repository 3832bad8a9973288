"""Two web processes and two workers as on machines of their own: nothing is shared but database, Redis and bucket.

Each has a DATA_DIR that nobody else may enter and, where the tests run as root, a user of its own.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import httpx
import psycopg
import pytest

from tests.campaigns.storm.witnesses import sample
from tests.support.bucket import KEYS, BucketServer
from tests.support.drawings import draw, encode
from tests.support.environment import start_redis, stop
from tests.support.ports import free_port, wait_for_port
from tests.support.postgres import Server, program
from tests.support.stack import HASTY_SECONDS, NUMPY_LEARNER, PATIENCE_SECONDS, ROOT, eventually
from tests.support.watcher import Watcher

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(program("postgres") is None, reason="THERE IS NO POSTGRESQL HERE: apt-get install postgresql"),
]
FIRST_USER = 61_000  # of numbers that no account has
WORKER = "celery -A digits_site worker --pool threads --concurrency 1 --without-gossip --without-mingle"
EPOCHS = 12
PACKAGES = os.environ | {"PYTHONPATH": f"{sysconfig.get_path('purelib')}:{os.environ.get('PYTHONPATH', '')}"}


def python_for(who: dict[str, Any]) -> str | None:
    """A Python that such a user may start and that finds the product and its packages; None when there is none."""
    look = "import django, numpy, os, redis; os.listdir('training/data/mnist'); os.stat('manage.py')"
    for python in (sys.executable, f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}"):
        with suppress(OSError):
            if subprocess.run([python, "-c", look], cwd=ROOT, env=PACKAGES, stderr=DEVNULL, **who).returncode == 0:
                return python
    warnings.warn("every machine runs as root: the product or its Python is not readable for others", stacklevel=1)
    return None


class Machine:
    """A folder, a user where that is possible, and one process of the product."""

    def __init__(self, name: str, number: int, shared: dict[str, str]) -> None:
        self.name, self.port, self.folder = name, free_port(), Path(mkdtemp(prefix=f"digits-{name}-"))  # 0700
        self.url = f"http://127.0.0.1:{self.port}"
        own = {"DATA_DIR": str(self.folder / "data"), "HOME": str(self.folder), "PORT": str(self.port)}
        self.options: dict[str, Any] = {"cwd": ROOT, "env": PACKAGES | shared | own}
        self.python, user = sys.executable, FIRST_USER + number
        who = {"user": user, "group": user, "extra_groups": []}
        if os.geteuid() == 0 and (python := python_for(who)):
            self.python = python
            self.options |= who
            os.chown(self.folder, user, user)
        self.process: subprocess.Popen[bytes] | None = None

    def manage(self, *words: str) -> str:
        command = [self.python, "manage.py", *words]
        return subprocess.run(command, check=True, stdout=PIPE, text=True, **self.options).stdout

    def launch(self, command: str) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.python, "-m", *command.split()], stdout=log, stderr=log, start_new_session=True, **self.options
            )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        if self.process and self.process.poll() is None:
            stop(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)


class Site:
    """What the machines share, and the machines."""

    def __init__(self, exits: ExitStack) -> None:
        self.postgres = exits.enter_context(closing(Server()))
        self.bucket = exits.enter_context(closing(BucketServer()))
        port = free_port()
        folder = exits.enter_context(TemporaryDirectory())
        exits.callback(stop, start_redis(port, folder, "--requirepass", "secret"))
        shared = KEYS | {
            "DATABASE_URL": self.postgres.url,
            "MODEL_STORAGE_URL": self.bucket.url,
            "REDIS_URL": f"redis://:secret@127.0.0.1:{port}/0",
            "SECRET_KEY": "the-same-on-every-machine-" * 3,
            "LEARNER": NUMPY_LEARNER,
            "RUN_LOST_SECONDS": str(HASTY_SECONDS),
            "PYTHONDONTWRITEBYTECODE": "1",
            "WATCHDOG": "true",
            "DAILY_STATISTICS": "true",
        }
        names = ("web-1", "web-2", "worker-1", "worker-2")
        self.machines = {name: Machine(name, number, shared) for number, name in enumerate(names)}
        for machine in self.machines.values():
            exits.callback(machine.close)

    def start(self) -> None:
        first, second, *workers = self.machines.values()
        first.manage("prepare")
        for worker in workers:
            worker.launch(f"{WORKER} -n {worker.name}@digits")
        for web in (first, second):
            web.launch(f"digits_site.server --bind 127.0.0.1 --port {web.port}")
        for web in (first, second):
            wait_for_port(web.port)

    def epochs_of(self, run: int) -> list[int]:
        """From the database itself."""
        with closing(psycopg.connect(self.postgres.url, autocommit=True)) as connection:
            row = next(each for each in sample(connection) if each["id"] == run)
        return [epoch for epoch, _ in row["epochs"]]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with ExitStack() as exits:
        site = Site(exits)
        site.start()
        yield site


def drawn(web: Machine) -> tuple[int, int, int]:
    """(status, digit, model) of an answer."""
    headers = {"Content-Type": "image/png"}
    answer = httpx.post(f"{web.url}/api/drawing/", content=encode(draw(7)), headers=headers, timeout=30)
    return answer.status_code, answer.json().get("prediction"), answer.json().get("model")


def worker_of(site: Site, run: int) -> Machine:
    """The machine whose worker has the run."""
    with closing(psycopg.connect(site.postgres.url)) as connection:
        (name,) = connection.execute("SELECT worker FROM training_trainingrun WHERE id = %s", (run,)).fetchone()
    pid = int(name.rpartition(":")[2])
    return next(machine for machine in site.machines.values() if machine.process.pid == pid)


def test_several_machines_are_one_service_and_go_on_without_those_that_die(site: Site) -> None:
    web_1, web_2 = site.machines["web-1"], site.machines["web-2"]
    for machine in site.machines.values():  # no process could use a file of another machine if it tried
        assert machine.folder.stat().st_mode & 0o777 == 0o700
        assert machine.folder.stat().st_uid == machine.options.get("user", os.geteuid())
    assert drawn(web_1)[:2] == drawn(web_2)[:2] == (200, 7)

    # A run that is asked for at one is watched at the other. Its worker dies, and the other one takes it up.
    viewer = Watcher(f"ws://127.0.0.1:{web_2.port}/ws/training/")
    parameters = {"samples": 2000, "epochs": EPOCHS, "batch_size": 16, "seed": 3}
    run = httpx.post(f"{web_1.url}/api/retrain_model/", json=parameters, timeout=30).json()["run"]
    shown = lambda: httpx.get(f"{web_2.url}/api/runs/{run}/", timeout=30).json()  # noqa: E731
    eventually(lambda: len(shown()["epochs"]) >= 2, PATIENCE_SECONDS, "two epochs")
    dead = worker_of(site, run)
    dead.kill()
    before = shown()["epochs"]
    ended = eventually(lambda: (r := shown())["finished_at"] and r, 120, "the end of the run")
    assert (ended["status"], ended["attempt"]) == ("completed", 2), ended
    assert worker_of(site, run) is not dead
    assert ended["epochs"][: len(before)] == before, "what was finished is kept"
    assert site.epochs_of(run) == list(range(1, EPOCHS + 1)), "each once"
    assert viewer.wait_for_end(run) == "completed"
    assert viewer.epochs[run] == list(range(1, EPOCHS + 1))
    viewer.close()

    # Its files are in the bucket, and no folder of a worker is needed to serve them.
    url = f"{web_1.url}/api/models/{ended['model']}/"
    sha256 = httpx.get(url, timeout=30).json()["sha256"]
    for kind in ("onnx", "keras"):
        [name] = [n for n in site.bucket.names() if n.startswith(f"digits/{sha256}") and n.endswith(f".{kind}")]
        assert httpx.get(f"{url}{kind}/", timeout=30).content == site.bucket.read(name)
    assert not [machine.name for machine in site.machines.values() if (machine.folder / "data" / "models").exists()]
    token = web_1.manage("create_token", "admin", "--name", "switching", "--scope", "activate").strip()
    activated = httpx.post(f"{url}activate/", headers={"Authorization": f"Token {token}"}, timeout=30)
    assert activated.status_code == 200
    eventually(lambda: drawn(web_2)[2] == ended["model"], 10, "the new model's answer at the other machine")

    # One web process dies; the other knows everything.
    web_1.kill()
    assert drawn(web_2)[::2] == (200, ended["model"])
    assert httpx.get(f"{web_2.url}/readyz", timeout=30).status_code == 200
    second = httpx.post(f"{web_2.url}/api/retrain_model/", json={"samples": 64, "epochs": 1}, timeout=30).json()["run"]
    status = lambda: httpx.get(f"{web_2.url}/api/runs/{second}/", timeout=30).json()["status"]  # noqa: E731
    eventually(lambda: status() == "completed", PATIENCE_SECONDS, "a run after both deaths")
