"""The product as `make run-scaled` starts it: nginx before granian and daphne, PostgreSQL, Redis and a worker."""

import re
import shutil
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from digits_site.development.nginx_server import nginx_program
from digits_site.development.postgres_server import programs
from tests.support.ports import wait_for_port
from tests.support.stack import PATIENCE_SECONDS, ROOT, Stack, eventually
from training.learner.config import KERAS_LEARNER

MISSING = [name for name, found in {"nginx": nginx_program(), "PostgreSQL": programs()}.items() if not found]


def require_programs() -> None:
    """Skip, and say so where it is seen."""
    if MISSING:
        warnings.warn(f"THE SCALED DEPLOYMENT IS NOT TESTED: no {' and no '.join(MISSING)} here", stacklevel=2)
        pytest.skip(f"no {' and no '.join(MISSING)}")


class Scaled(Stack):
    """One launcher, and below it everything else."""

    def start(self, worker: bool = True) -> None:
        for name in ("REDIS_URL", "DATABASE_URL"):
            self.environment.pop(name, None)
        self.environment |= {"WEB_CONCURRENCY": "2", "TRAINING_SPARE_SECONDS": "0"}  # it would load TensorFlow
        with (self.folder / "up.log").open("ab") as log:
            command, environment = [sys.executable, "manage.py", "up", "--scaled"], self.environment
            self.processes["up"] = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        eventually(lambda: "Draw a digit" in self.log("up") or self.ended_badly(), 120, "the start")
        assert not self.ended_badly(), self.log("up")

    def ended_badly(self) -> bool:
        return self.processes["up"].poll() is not None

    def below(self, word: str) -> list[psutil.Process]:
        """Processes of this stack with this word in their command line, parents before children."""
        found = []
        for process in psutil.Process(self.processes["up"].pid).children(recursive=True):
            with suppress(psutil.Error):
                line = " ".join(process.cmdline())
                if "deploy/keep" not in line and word in line:
                    found.append(process)
        return found

    def granian(self) -> psutil.Process:
        """Its main process, which deploy/keep starts again a second after its end."""
        return eventually(lambda: self.below("granian"), PATIENCE_SECONDS, "granian")[0]

    def granian_workers(self) -> list[psutil.Process]:
        """None in the second without a main process."""
        main, *others = self.below("granian") or [None]
        return [process for process in others if main and parent_of(process) == main.pid]

    def port_of(self, program: str, option: str) -> int:
        """The port behind nginx, as the command line says it."""
        found = re.search(rf"{option} (\d+)", " ".join(self.below(program)[0].cmdline()))
        assert found
        return int(found[1])

    @property
    def granian_url(self) -> str:
        return f"http://127.0.0.1:{self.port_of('granian', '--port')}"

    @property
    def daphne_url(self) -> str:
        return f"http://127.0.0.1:{self.port_of('digits_site.server', '--port')}"

    def close(self) -> None:
        """As Ctrl-C at the terminal does; the launcher's word is that nothing is left then."""
        self.http.close()
        launcher = self.processes.get("up")
        if launcher is None:
            return
        everything = psutil.Process(launcher.pid).children(recursive=True) if launcher.poll() is None else []
        launcher.send_signal(signal.SIGINT)
        launcher.wait(60)
        _, left = psutil.wait_procs(everything, timeout=10)
        for process in left:
            process.kill()
        assert not left, f"left behind: {left}"
        assert launcher.returncode == 0, self.log("up")[-3000:]


def parent_of(process: psutil.Process) -> int | None:
    """Its parent's process ID; None if it has ended."""
    with suppress(psutil.Error):
        return process.ppid()
    return None


def start_granian(stack: Stack) -> None:
    """Start the web server as Procfile.scaled does, on the stack's port."""
    line = re.search(r"granian (--interface .*)", (ROOT / "Procfile.scaled").read_text())
    assert line
    options = line[1].replace("${WEB_PORT:-8001}", str(stack.port)).replace("${WEB_CONCURRENCY:-2}", "2")
    stack.launch("web", "granian", *options.split())
    wait_for_port(stack.port)


class OnGranian(Stack):
    """`make run`'s processes with granian in daphne's place."""

    def start_web(self) -> None:
        start_granian(self)


@contextmanager
def running_scaled() -> Iterator[Scaled]:
    """In a folder that PostgreSQL's own user may enter, where root runs the tests."""
    require_programs()
    folder = Path(tempfile.mkdtemp(prefix="digits-scaled-"))
    folder.chmod(0o711)
    try:
        with closing(Scaled(folder, learner=KERAS_LEARNER)) as stack:
            stack.start()
            yield stack
    finally:
        shutil.rmtree(folder, ignore_errors=True)
