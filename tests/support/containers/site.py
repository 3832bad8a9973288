"""The deployment of compose.yaml: started as its first lines say, asked through nginx and TLS as visitors do."""

import os
import re
import secrets
import shlex
import signal
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
from websockets.sync.client import connect

from tests.support.containers.engine import SERVICES, Engine
from tests.support.drawings import data_url, draw, encode
from tests.support.ports import free_port
from tests.support.stack import ROOT, Stack, eventually
from tests.support.watcher import Watcher

PROJECT = "digits-test"
DRAWING = {"drawing": data_url(encode(draw(7)))}
OVERRIDE = 'services: {{nginx: {{ports: !override ["127.0.0.1:{http}:80", "127.0.0.1:{https}:443"]}}}}\n'
# All services but what ends by itself.
LASTING = [name for name, service in SERVICES.items() if service["restart"] != "no"]


class ContainerSite(Stack):
    """Every public method of Stack that asks over HTTP works here too; the processes are containers."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.folder, self.processes, self.own_database = engine, engine.folder, {}, ""
        http, https = free_port(), free_port()
        self.plain_url = f"http://localhost:{http}"
        self.url, self.ws_url = f"https://localhost:{https}", f"wss://localhost:{https}/ws/training/"
        (self.folder / "override.yaml").write_text(OVERRIDE.format(http=http, https=https))
        self.make_certificates()
        options = ["-p", PROJECT, "-f", str(ROOT / "compose.yaml"), "-f", str(self.folder / "override.yaml")]
        options += [f"--podman-build-args={option}" for option in engine.build_options()]
        self.environment = engine.environment | {
            "SECRET_KEY": secrets.token_urlsafe(50),
            "REDIS_PASSWORD": secrets.token_hex(16),
            "POSTGRES_PASSWORD": secrets.token_hex(16),
            "ALLOWED_HOSTS": "localhost,digits.test",
            "TRUSTED_ORIGINS": f"{self.url},https://digits.test",
            "SERVER_NAMES": "localhost digits.test",
            "TLS_DIR": str(self.folder / "tls"),
            "COMPOSE_OPTIONS": shlex.join(options),
        }
        engine.environment = self.environment
        self.trust = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        self.http = httpx.Client(base_url=self.url, verify=self.trust, timeout=30)

    def make_certificates(self) -> None:
        """An authority, and a certificate of its for this machine."""
        (self.folder / "tls").mkdir()
        key = "-nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256"
        names = "-addext subjectAltName=DNS:localhost,DNS:digits.test -addext basicConstraints=critical,CA:false"
        signed = f"{key} {names} -CA ca.pem -CAkey ca.key -keyout tls/privkey.pem -out tls/fullchain.pem"
        for command in (
            f"req -x509 -days 2 -subj /CN=authority {key} -keyout ca.key -out ca.pem",
            f"req -x509 -days 2 -subj /CN=localhost {signed}",
        ):
            subprocess.run(["openssl", *command.split()], cwd=self.folder, check=True, capture_output=True)

    # --- Commands ---

    def sh(self, script: str, **options: Any) -> str:
        """What a script of the documents prints, where `docker compose` is podman-compose."""
        return self.engine.run(["sh", "-euc", script], **options)

    def compose(self, words: str, **options: Any) -> str:
        return self.sh(f"docker compose {words}", **options)

    def manage(self, *words: str) -> str:
        return self.compose(f"exec -T web python manage.py {shlex.join(words)}")

    def container(self, service: str) -> str:
        return f"{PROJECT}_{service}_1"

    def inspect(self, service: str, what: str) -> str:
        return self.engine.podman(
            "container", "inspect", "--format", f"{{{{{what}}}}}", self.container(service)
        ).strip()

    def logs(self, service: str) -> str:
        """The last lines of its log, without the requests."""
        lines = self.engine.podman("logs", self.container(service), check=False, stderr=subprocess.STDOUT).splitlines()
        return "\n".join([f"=== {service}", *[line[:400] for line in lines if "digits.access" not in line][-60:]])

    def kill_container(self, service: str) -> None:
        """End its first process as a kernel short of memory does. The restart policy starts it again."""
        before = self.inspect(service, ".State.Pid")
        os.kill(int(before), signal.SIGKILL)
        eventually(lambda: self.inspect(service, ".State.Pid") not in {"0", before}, 30, f"another {service}")

    def healthy(self, service: str) -> bool:
        if "healthcheck" not in SERVICES[service]:
            return self.inspect(service, ".State.Running") == "true"
        command = [self.environment["PODMAN"], "healthcheck", "run", self.container(service)]
        return subprocess.run(command, env=self.environment, capture_output=True, check=False).returncode == 0

    # --- Requests ---

    def run(self, number: int) -> dict[str, Any]:
        """A run, however long the answer takes to come."""

        def ask() -> dict[str, Any] | None:
            with suppress(httpx.TransportError):
                answer = self.http.get(f"/api/runs/{number}/")
                return answer.json() if answer.status_code == 200 else None
            return None

        return eventually(ask, 90, f"an answer about run {number}")

    def answers(self) -> bool:
        """Whether the database is asked and answers, through nginx."""
        with suppress(httpx.TransportError):
            return self.http.get("/api/check_model_status/", timeout=10).status_code == 200
        return False

    def drawn(self) -> int:
        """The status of the answer to a drawing of a 7; 0 when none came."""
        with suppress(httpx.TransportError):
            answer = self.http.post("/api/drawing/", json=DRAWING, timeout=10)
            assert answer.status_code != 200 or answer.json()["prediction"] == 7
            return answer.status_code
        return 0

    @contextmanager
    def drawing_all_the_while(self) -> Iterator[dict[str, Any]]:
        """Draw every 0.7 s, within PREDICT_RATE; at the end, say how many there were, how many failed and how long."""
        statuses: list[tuple[float, int]] = []
        figures: dict[str, Any] = {}
        done = threading.Event()

        def ask() -> None:
            while not done.wait(0.7):
                statuses.append((time.monotonic(), self.drawn()))

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            yield figures
        finally:
            done.set()
            thread.join()
        failed = [moment for moment, status in statuses if status != 200]
        answers = sorted({status or "no answer" for _, status in statuses if status != 200}, key=str)
        assert {status for _, status in statuses} <= {200, 0, 502, 503, 504}, statuses
        away = failed[-1] - failed[0] if failed else 0.0
        figures |= {"drawings": len(statuses), "failed": len(failed), "away": away, "answers": answers}

    def close(self) -> None:
        self.http.close()
        self.engine.close()


class SocketViewer(Watcher):
    """A Watcher that connects again, as the page does."""

    def __init__(self, site: ContainerSite) -> None:
        self.url, self.options, self.connections, self.closed = site.ws_url, {"ssl": site.trust}, 1, False
        super().__init__(site.ws_url, ssl=site.trust)

    def listen(self) -> None:
        super().listen()
        while not self.closed:
            with suppress(Exception):  # whatever a server that starts says
                self.socket = connect(self.url, **self.options)
                self.connections += 1
                super().listen()
            time.sleep(0.5)

    def close(self) -> None:
        self.closed = True
        super().close()


class StreamViewer(threading.Thread):
    """Reads the event stream to the end of the run, connecting again when it is cut."""

    def __init__(self, site: ContainerSite) -> None:
        super().__init__(daemon=True)
        self.site, self.epochs, self.ending, self.connections = site, [0], "", 0
        self.start()

    def run(self) -> None:
        while not self.ending:
            with suppress(httpx.HTTPError), httpx.Client(verify=self.site.trust, timeout=30) as http:
                self.connections += 1
                with http.stream("GET", f"{self.site.url}/api/progress/") as answer:
                    for line in answer.iter_lines():
                        self.take(line)
            time.sleep(0.5)

    def take(self, line: str) -> None:
        if found := re.search(r'"reason": "(\w+)"', line):
            self.ending = found[1]
        elif found := re.search(r'^data: .*"epoch": (\d+)', line):
            self.epochs.append(int(found[1]))
