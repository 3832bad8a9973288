"""Every server of the comparison: what it is called, how it is started, what it is asked."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from honcho.environ import parse_procfile

from benchmarks._serving.environments import as_here, python_of
from benchmarks._serving.processes import ROOT

BIN = Path(sys.executable).parent
WORK = as_here("numpy", "pillow", "onnxruntime")
PLAIN = "plain"
KERAS = as_here("tensorflow", "tensorflow-cpu", "keras", "pillow")  # the platform decides which of the first two
PLAIN_PACKAGES = ["flask==3.1.3", "gunicorn==27.0.1", *KERAS]
FASTAPI_PACKAGES = ["fastapi==0.165.0", "uvicorn[standard]==0.54.0", "pydantic==2.14.4", *WORK]
LITSERVE_PACKAGES = ["litserve==0.2.19", "fastapi==0.165.0", "uvicorn==0.54.0", *WORK]
GRADIO_PACKAGES = ["gradio==6.31.0", "fastapi==0.165.0", "pillow==12.3.0", *as_here("numpy", "onnxruntime")]
Words = Sequence[str]


@dataclass(frozen=True)
class Server:
    """One row of the table."""

    title: str
    command: Callable[[int], Words]  # for a port; raises NotInstalled
    path: str = "/api/drawing/"
    follow: str = ""  # the beginning of the path where the answer is fetched, if the first one only names an event
    batches: bool = False
    product: bool = False

    def body(self, drawings: Sequence[str]) -> bytes:
        """One data URL, or several where the server takes batches."""
        if self.path.startswith("/gradio_api/"):
            return json.dumps({"data": list(drawings)}).encode()
        if len(drawings) > 1:
            return json.dumps({"drawings": list(drawings)}).encode()
        return json.dumps({"drawing": drawings[0]}).encode()

    def request(self, port: int, drawings: Sequence[str]) -> bytes:
        """The whole HTTP request for one body."""
        path = "/api/drawings/" if len(drawings) > 1 else self.path
        body = self.body(drawings)
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: */*\r\nContent-Type: application/json\r\n"
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def environment(self, port: int, product: Mapping[str, str]) -> dict[str, str]:
        """Of its processes; `product` is what the product is told about its data and its Redis."""
        own = dict(product) if self.product else dict(os.environ) | {"PYTHONPATH": str(ROOT)}
        path = os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath)]) if self.product else os.environ["PATH"]
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "2", "GRADIO_ANALYTICS_ENABLED": "False", "PYTHONUNBUFFERED": "1"}
        place = {"PATH": path, "HOST": "127.0.0.1", "PORT": str(port), "WEB_PORT": str(port), "WEB_CONCURRENCY": "1"}
        return own | quiet | place


def daphne(port: int) -> Words:
    """As the Procfile has it."""
    return as_deployed("Procfile")


def as_deployed(procfile: str) -> Words:
    """The web process of a Procfile, which takes its port and its number of workers from the environment."""
    return ["sh", "-c", parse_procfile((ROOT / procfile).read_text()).processes["web"]]


def granian(port: int) -> Words:
    """One worker, for WSGI: as it is deployed behind nginx, where this tree says how."""
    if (ROOT / "Procfile.scaled").exists():
        return as_deployed("Procfile.scaled")
    words = ["--interface", "wsgi", "--http", "1", "--workers", "1", "--blocking-threads", "4", "--backpressure", "64"]
    words += ["--log-level", "warning"]
    return [str(BIN / "granian"), *words, "--host", "127.0.0.1", "--port", str(port), "digits_site.wsgi:application"]


def plain(port: int) -> Words:
    """gunicorn's defaults: one worker that takes one request after the other."""
    python = str(python_of(PLAIN, PLAIN_PACKAGES))
    return [python, "-m", "gunicorn", "--workers", "1", "--bind", f"127.0.0.1:{port}", "benchmarks._serving.plain:app"]


def fastapi(port: int) -> Words:
    python = str(python_of("fastapi", FASTAPI_PACKAGES))
    words = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    return [python, "-m", "uvicorn", *words, "--port", str(port), "benchmarks._serving.fast:app"]


def litserve(batch: int) -> Callable[[int], Words]:
    def command(port: int) -> Words:
        python = str(python_of("litserve", LITSERVE_PACKAGES))
        return [python, "-m", "benchmarks._serving.lit", str(port), str(batch)]

    return command


def gradio(port: int) -> Words:
    return [str(python_of("gradio", GRADIO_PACKAGES)), "-m", "benchmarks._serving.interface", str(port)]


def nothing(port: int) -> Words:
    return [sys.executable, "-m", "benchmarks._serving.nothing", str(port)]


SERVERS = {
    PLAIN: Server("plain Flask + model.predict, gunicorn", plain),
    "gradio-queued": Server("Gradio, queued", gradio, "/gradio_api/call/queued", follow="/gradio_api/call/queued/"),
    "gradio-direct": Server("Gradio, direct", gradio, "/gradio_api/run/direct"),
    "litserve": Server("LitServe", litserve(1)),
    "litserve-32": Server("LitServe, batches of 32", litserve(32)),
    "fastapi": Server("FastAPI + uvicorn (uvloop)", fastapi),
    "daphne": Server("this product, daphne", daphne, batches=True, product=True),
    "granian": Server("this product, granian (WSGI)", granian, batches=True, product=True),
}
NOTHING = Server("a server that does nothing", nothing)
