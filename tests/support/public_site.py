"""The product as compose.yaml deploys it: public mode, and deploy/nginx.conf with a certificate in front."""

import re
import secrets
import shutil
import ssl
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from digits_site.development.nginx_server import nginx_program
from tests.support.environment import start_redis
from tests.support.ports import free_port, wait_for_port
from tests.support.stack import ROOT, Stack, eventually
from training.learner.config import KERAS_LEARNER

PROCFILE = ROOT / "Procfile.scaled"
PASSWORD = "of-these-tests-alone"
NAMES = "localhost digits.test"


def site_configuration(folder: Path, http: int, https: int, web: int, streams: int) -> str:
    """deploy/nginx.conf as it is, but for ports, addresses and folders."""
    text = (ROOT / "deploy" / "nginx.conf").read_text().replace("${SERVER_NAMES}", NAMES)
    text = re.sub(r" *listen \[::\]:.*\n", "", text)
    text = re.sub(r"listen 80\b", f"listen 127.0.0.1:{http}", text)
    text = re.sub(r"listen 443\b", f"listen 127.0.0.1:{https}", text)
    text = text.replace("server web:8000", f"server 127.0.0.1:{web}")
    text = text.replace("server streams:8000", f"server 127.0.0.1:{streams}")
    text = text.replace("/etc/nginx/digits", str(ROOT / "deploy" / "nginx"))
    return text.replace("/etc/nginx/tls", str(folder)).replace("root /data", f"root {folder}")


def whole_configuration(folder: Path, *ports: int) -> str:
    """deploy/nginx/main.conf around it, with the temporary files in a folder of the test's own."""
    text = (ROOT / "deploy" / "nginx" / "main.conf").read_text().replace("user nginx;", "daemon off;")
    text = re.sub(r"(error_log|pid) /\S*/", rf"\1 {folder}/nginx-", text)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    own = "".join(f"    {kind}_temp_path {folder}/nginx-{kind};\n" for kind in kinds)
    site = folder / "site.conf"
    site.write_text(site_configuration(folder, *ports))
    return text.replace("    include /etc/nginx/conf.d/*.conf;", f"{own}    include {site};")


def make_certificate(folder: Path) -> None:
    """For localhost, by itself."""
    command = "openssl req -x509 -nodes -days 2 -subj /CN=localhost -newkey ec -pkeyopt ec_paramgen_curve:P-256"
    names = ["-addext", "subjectAltName=DNS:localhost,DNS:digits.test"]
    files = ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)


class PublicSite(Stack):
    """Redis with a password, granian and daphne in public mode, nginx. No worker: nobody trains here."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, learner=KERAS_LEARNER)
        self.http_port, self.https_port = free_port(), free_port()
        self.web_port, self.streams_port = free_port(), free_port()
        self.url = f"https://localhost:{self.https_port}"
        self.environment |= {
            "DIGITS_MODE": "public",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ALLOWED_HOSTS": "localhost,digits.test",
            "TRUSTED_ORIGINS": f"https://localhost:{self.https_port}",
            "REDIS_URL": f"redis://:{PASSWORD}@127.0.0.1:{self.redis_port}/0",
            "TRUSTED_PROXIES": "1",
            "METRICS_DIR": str(folder / "metrics"),
            "MALLOC_ARENA_MAX": "1",
        }

    def start_redis(self) -> None:
        self.processes["redis"] = start_redis(self.redis_port, self.folder, "--requirepass", PASSWORD)

    def start_web(self) -> None:
        lines = dict(
            re.findall(r"^(\w+): (?:\w+=\S+ )?exec deploy/keep (?:--failed-too )?(.*)$", PROCFILE.read_text(), re.M)
        )
        ports = {"WEB_PORT": self.web_port, "STREAMS_PORT": self.streams_port, "WEB_CONCURRENCY": 2}
        for name in ("web", "streams"):
            line = re.sub(r"\$\{(\w+):-\w*\}", lambda found: str(ports[found[1]]), lines[name])
            self.launch(name, *line.split())
        for port in (self.web_port, self.streams_port):
            wait_for_port(port)
        self.start_nginx()
        eventually(self.answers, 60, "an answer through nginx")

    def start_nginx(self) -> None:
        make_certificate(self.folder)
        file = self.folder / "nginx.conf"
        ports = (self.http_port, self.https_port, self.web_port, self.streams_port)
        file.write_text(whole_configuration(self.folder, *ports))
        with (self.folder / "nginx.log").open("ab") as log:
            self.processes["nginx"] = subprocess.Popen([nginx_program() or "nginx", "-c", file], stdout=log, stderr=log)
        wait_for_port(self.https_port)
        self.http.close()
        self.http = self.client()

    def trust(self) -> ssl.SSLContext:
        """A client's, that knows the certificate."""
        return ssl.create_default_context(cafile=str(self.folder / "fullchain.pem"))

    def client(self, address: str = "127.0.0.1") -> httpx.Client:
        """A client who comes from an address of its own, which Linux has 16 million of for loopback."""
        transport = httpx.HTTPTransport(verify=self.trust(), local_address=address)
        return httpx.Client(base_url=self.url, transport=transport, timeout=30)

    def answers(self) -> bool:
        return self.http.get("/api/check_model_status/").status_code == 200

    def members(self) -> list[psutil.Process]:
        """nginx, granian and daphne with all that they started."""
        roots = [psutil.Process(self.processes[name].pid) for name in ("nginx", "web", "streams")]
        return [one for root in roots for one in (root, *root.children(recursive=True))]


@contextmanager
def running_public() -> Iterator[PublicSite]:
    """In a folder that nginx' own user may enter, where root runs the tests."""
    if nginx_program() is None or shutil.which("openssl") is None:
        warnings.warn("THE PUBLIC DEPLOYMENT IS NOT TESTED: no nginx, or no openssl here", stacklevel=2)
        pytest.skip("no nginx, or no openssl")
    folder = Path(tempfile.mkdtemp(prefix="digits-public-"))
    folder.chmod(0o711)
    try:
        with closing(PublicSite(folder)) as site:
            site.start(worker=False)
            yield site
    finally:
        shutil.rmtree(folder, ignore_errors=True)
