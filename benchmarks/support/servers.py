"""Every server of the comparison: its name, its command, and the requests that it takes."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
from honcho.environ import parse_procfile

from benchmarks.support.common import ROOT, Tree
from benchmarks.support.environments import Unusable, python_with
from tests.support.ports import free_port
from tests.support.stack import Stack

START_TIMEOUT_SECONDS = 120
PREDICTION = re.compile(rb'"prediction": *(\d)')
# What recognition.imaging, data URLs and the network need, in the product's own versions.
PICTURES = ["numpy", "pillow", "pillow-heif", "kornia-rs", "zlib-ng", "opencv-python-headless"]
WORK = [*PICTURES, "pybase64", "onnxruntime"]
PACKAGES = {
    "flask": ["flask==3.1.3", "gunicorn==27.0.1", "tensorflow", "keras", "pillow"],
    "fastapi": ["fastapi==0.165.0", "uvicorn[standard]==0.54.0", "pydantic==2.14.4", *WORK],
    "litserve": ["litserve==0.2.19", "fastapi==0.165.0", "uvicorn[standard]==0.54.0", *WORK],
}


@dataclass(frozen=True)
class Server:
    """One row of the tables."""

    title: str
    command: Callable[[int], Sequence[str]]  # for a port
    is_product: bool = False
    makes_batches: bool = False  # of its clients' single drawings

    def body(self, drawings: Sequence[str]) -> bytes:
        """The JSON of one data URL, or of several where the server takes batches."""
        return json.dumps({"drawing": drawings[0]} if len(drawings) == 1 else {"drawings": list(drawings)}).encode()

    @contextmanager
    def running(self, folder: Path, product: Mapping[str, str], on: set[int], drawing: str) -> Iterator[Running]:
        """Start on one core, and wait for the first digit. Raises Unusable."""
        port = free_port()
        own = dict(product) if self.is_product else dict(os.environ) | {"PYTHONPATH": str(ROOT)}
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        place = {"HOST": "127.0.0.1", "PORT": str(port), "WEB_PORT": str(port), "WEB_CONCURRENCY": "1", "PATH": path}
        tree = Tree(self.command(port), own | place | {"TF_CPP_MIN_LOG_LEVEL": "2"}, folder / f"{port}.log", on)
        try:
            found = Running(self, port, tree)
            found.wait_for_digit(drawing)
            yield found
        finally:
            tree.stop()


@dataclass
class Running:
    server: Server
    port: int
    tree: Tree
    first_answer: float = 0.0  # seconds from the start

    def digit(self, drawing: str) -> int | None:
        """What it reads in a drawing."""
        url, headers = f"http://127.0.0.1:{self.port}/api/drawing/", {"Content-Type": "application/json"}
        answer = httpx.post(url, content=self.server.body([drawing]), headers=headers, timeout=30)
        found = PREDICTION.search(answer.content)
        return int(found[1]) if answer.status_code == 200 and found else None

    def wait_for_digit(self, drawing: str) -> None:
        """Raises Unusable."""
        while time.perf_counter() - self.tree.began < START_TIMEOUT_SECONDS and self.tree.process.poll() is None:
            with suppress(httpx.HTTPError):
                if self.digit(drawing) is not None:
                    self.first_answer = time.perf_counter() - self.tree.began
                    return
            time.sleep(0.02)
        raise Unusable(f"no digit: {self.tree.last_lines()}")


def product(procfile: str) -> Callable[[int], Sequence[str]]:
    """The web process of a Procfile, which takes its port and its workers from the environment."""
    return lambda port: ["sh", "-c", parse_procfile((ROOT / procfile).read_text()).processes["web"]]


def contender(name: str) -> Callable[[int], Sequence[str]]:
    """In an environment of its own. Raises Unusable."""
    return lambda port: [str(python_with(name, PACKAGES[name])), "-m", "benchmarks.support.contenders", name, str(port)]


SERVERS = {
    "flask": Server("Flask + model.predict, gunicorn", contender("flask")),
    "fastapi": Server("FastAPI + uvicorn (uvloop)", contender("fastapi")),
    "litserve": Server("LitServe, batches of up to 32", contender("litserve"), makes_batches=True),
    "daphne": Server("this product, daphne", product("Procfile"), is_product=True),
    "granian": Server("this product, granian (WSGI)", product("Procfile.scaled"), is_product=True),
}


@contextmanager
def prepared() -> Iterator[Stack]:
    """The product's data and Redis in a folder that is thrown away; no web server and no worker."""
    with tempfile.TemporaryDirectory(prefix="digits-serving-") as folder:
        stack = Stack(Path(folder))
        try:
            stack.start_redis()
            stack.prepare()
            yield stack
        finally:
            stack.close()
