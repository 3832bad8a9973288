"""nginx before a server that breaks off: what is asked again, and what is said; and whom it counts as one client."""

import re
import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from digits_site.development.nginx_server import nginx_in_front, nginx_program
from tests.support.environment import stop
from tests.support.ports import free_port, wait_for_port
from tests.support.stack import ROOT

pytestmark = [pytest.mark.stack, pytest.mark.skipif(nginx_program() is None, reason="no nginx")]


class BrokenServer(socketserver.BaseRequestHandler):
    """Takes a request and hangs up; keeps the first line of each."""

    asked: list[str] = []

    def handle(self) -> None:
        if said := self.request.recv(65536):
            self.asked.append(said.split(b"\r\n")[0].decode())


@pytest.fixture
def asked(settings, tmp_path: Path) -> Iterator[list[str]]:
    """What a broken server behind nginx was asked."""
    settings.PORT, settings.DATA_DIR = free_port(), tmp_path
    BrokenServer.asked.clear()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), BrokenServer) as server:
        threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
        with nginx_in_front(server.server_address[1], free_port()):
            wait_for_port(settings.PORT)
            yield BrokenServer.asked
        server.shutdown()


def assert_refused(answer: httpx.Response) -> None:
    assert answer.status_code == 502
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["code"] == "upstream_unavailable"
    assert answer.json()["message"] == answer.json()["detail"]


def test_a_get_is_tried_twice_and_a_post_never(asked: list[str], settings) -> None:
    url = f"http://127.0.0.1:{settings.PORT}"
    assert_refused(httpx.get(f"{url}/api/runs/"))
    assert asked == ["GET /api/runs/ HTTP/1.1"] * 2
    asked.clear()
    assert_refused(httpx.post(f"{url}/api/retrain_model/", json={"epochs": 1}))
    assert asked == ["POST /api/retrain_model/ HTTP/1.1"]
    assert_refused(httpx.get(f"{url}/api/progress/"))  # of streams, too


def test_a_body_reaches_the_server_only_when_it_is_whole(asked: list[str], settings) -> None:
    with socket.create_connection(("127.0.0.1", settings.PORT)) as client:
        client.sendall(b"POST /api/drawing/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nx")
        client.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.recv(1)
        assert asked == []
        client.sendall(b"y")
        client.settimeout(10)
        assert b"upstream_unavailable" in client.recv(65536)
    assert len(asked) == 1


@pytest.fixture
def counted(tmp_path: Path) -> Iterator[httpx.Client]:
    """Answers whom deploy/nginx.conf would count the address in X-Address as."""
    found = re.search(r"map \$remote_addr (\$digits_client .*?\n})", (ROOT / "deploy" / "nginx.conf").read_text(), re.S)
    assert found
    port, paths = free_port(), " ".join(f"{kind}_temp_path {tmp_path};" for kind in ("client_body", "proxy", "fastcgi"))
    text = (
        f"daemon off; master_process off; pid {tmp_path}/pid; error_log {tmp_path}/log; events {{}}\n"
        f"http {{ access_log off; {paths} uwsgi_temp_path {tmp_path}; scgi_temp_path {tmp_path};\n"
        f"map $http_x_address {found[1].replace('$remote_addr', '$http_x_address')}\n"
        f"server {{ listen 127.0.0.1:{port}; return 200 $digits_client; }} }}"
    )
    (tmp_path / "nginx.conf").write_text(text)
    process = subprocess.Popen([nginx_program() or "nginx", "-p", tmp_path, "-c", tmp_path / "nginx.conf"])
    wait_for_port(port)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        yield client
    stop(process)


def test_ipv6_is_counted_by_its_network(counted: httpx.Client) -> None:
    """Addresses as nginx writes them: the longest zeros are left out."""

    def client(address: str) -> str:
        return counted.get("/", headers={"X-Address": address}).text

    alike = {
        "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::9",
        "2001:db8::1": "2001:db8::1:2:3:4",
        "2001:db8:1::1": "2001:db8:1::5:6:7",
        "2001::7:1:2:3:4": "2001::7:5:6:7:8",
    }
    assert [client(one) for one in alike] == [client(other) for other in alike.values()]
    others = ["2001::7:1:2:3:4", "2001::8:1:2:3:4", "2001:db8:1:2::9", "2001:db8:1:3::9", "2001:db8::1", "203.0.113.9"]
    assert len({client(address) for address in others}) == len(others)
    assert client("203.0.113.9") == "203.0.113.9"
