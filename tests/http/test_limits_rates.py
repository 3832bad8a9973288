"""Whose request it is, behind proxies, and how many of them an address may send."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.test import RequestFactory

from digits_site.web.limits import rate_limit
from digits_site.web.limits.client_address import client_address, scope_client_address
from tests.support.ports import free_port
from tests.support.subprocesses import run_python

PEER = "10.0.0.9"


def over_http(peer: str, forwarded: list[str]) -> str:
    headers = {"HTTP_X_FORWARDED_FOR": ", ".join(forwarded)} if forwarded else {}
    return client_address(RequestFactory().get("/", REMOTE_ADDR=peer, **headers))


def over_websocket(peer: str, forwarded: list[str]) -> str:
    """Here a repeated header arrives as it was sent."""
    headers = [(b"X-Forwarded-For", line.encode("latin1")) for line in forwarded]
    return scope_client_address({"type": "websocket", "headers": headers, "client": [peer, 5000]})


def counted(peer: str, forwarded: list[str]) -> str:
    """The address that both count."""
    address = over_http(peer, forwarded)
    assert over_websocket(peer, forwarded) == address
    return address


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, [], PEER),
        (0, ["203.0.113.7"], PEER),
        (1, ["203.0.113.7"], "203.0.113.7"),
        (1, ["192.0.2.1", "203.0.113.7"], "203.0.113.7"),
        (1, ["192.0.2.1, 198.51.100.2,203.0.113.7"], "203.0.113.7"),
        (2, ["192.0.2.1", "203.0.113.7", "10.0.0.8"], "203.0.113.7"),
        (2, ["203.0.113.7, 10.0.0.8"], "203.0.113.7"),
        # Fewer entries than proxies: the request went round one of them, and the entry may be its sender's own.
        (2, ["203.0.113.7"], PEER),
        (1, [], PEER),
        (3, ["192.0.2.1", "203.0.113.7"], PEER),
        (-1, ["203.0.113.7"], PEER),
    ],
)
def test_the_entry_that_the_outermost_proxy_wrote_counts(
    settings, proxies: int, forwarded: list[str], address: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    assert counted(PEER, forwarded) == address


@pytest.mark.parametrize(
    ("entry", "address"),
    [
        ("203.0.113.7:4711", "203.0.113.7"),
        (" 203.0.113.7 ", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::1", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1]:443", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1]", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        *((garbage, PEER) for garbage in ("", "unknown", "_hidden", "203.0.113", "203.0.113.7.8", "1", "[", "a:b:c")),
        *((garbage, PEER) for garbage in ("203.0.113.7/24", "0x7f.1", "²", "203.0.113.7\t:x:y", "9" * 5000)),
    ],
)
def test_an_entry_is_an_address_or_nothing(settings, entry: str, address: str) -> None:
    settings.TRUSTED_PROXIES = 1
    assert counted(PEER, ["192.0.2.1", entry]) == address


def test_a_whole_ipv6_network_is_one_caller_and_a_peer_without_an_address_another(settings) -> None:
    settings.TRUSTED_PROXIES = 0
    assert counted("2001:db8::1", []) == counted("2001:db8::ffff:1", []) == "2001:db8::/64"
    assert counted("2001:db8:0:1::1", []) == "2001:db8:0:1::/64"
    assert over_http("", []) == "unknown"
    assert scope_client_address({"headers": [], "client": None}) == "unknown"


# --- How many drawings an address may send: one count for all processes, one of its own where Redis is away ---


@pytest.mark.parametrize("silent", [False, True])
def test_rate_limits_hold_while_redis_is_unreachable_or_silent(tmp_path: Path, silent: bool) -> None:
    """A Redis that does not answer holds up one request a second; each of the four would wait a second or two.

    Views are imported beforehand. The better of two measurements counts, because other processes share the machine.
    """
    code = """
def ask_four(peer):
    began = time.monotonic()
    statuses = [ask(peer).status_code for _ in range(4)]
    return statuses, time.monotonic() - began
Client(HTTP_HOST="localhost").get("/healthz")
(statuses, seconds), (again, other_seconds) = ask_four("203.0.113.1"), ask_four("203.0.113.2")
print(json.dumps([statuses, again, min(seconds, other_seconds)]))
"""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1] if silent else free_port()
        address = f"redis://127.0.0.1:{port}/0"
        statuses, others, seconds = run_python(code, tmp_path, PREDICT_RATE="3/min", REDIS_URL=address)
    assert statuses == [400, 400, 400, 429]
    assert seconds < 3.5
    assert others == statuses, "another address is counted by itself"


def test_forged_headers_do_not_make_another_caller(tmp_path: Path) -> None:
    """Behind one proxy, which writes the last entry; local mode itself would refuse all of these."""
    code = """
from django.test import override_settings
with override_settings(LOCAL=False):
    forged = [ask("10.0.0.1", f"198.51.100.{n}, 203.0.113.200").status_code for n in range(4)]
    other = ask("10.0.0.1", "203.0.113.201").status_code
    network = [ask("10.0.0.1", f"2001:db8:77:1::{n:x}").status_code for n in range(4)]
print(json.dumps([forged, other, network]))
"""
    forged, other, network = run_python(code, tmp_path, PREDICT_RATE="3/min", TRUSTED_PROXIES="1")
    assert forged == [400, 400, 400, 429]
    assert other == 400
    assert network == [400, 400, 400, 429], "one /64 is one caller"


@pytest.mark.parametrize("redis_answers", [True, False])
def test_no_more_than_the_number_pass_at_once(monkeypatch: pytest.MonkeyPatch, redis_answers: bool) -> None:
    key = f"test:{time.monotonic_ns()}"
    patient = redis.Redis.from_url(settings.REDIS_URL).register_script(rate_limit.CONSUME)
    monkeypatch.setattr(rate_limit, "script", lambda: patient)  # not for a second only: what came later is local
    monkeypatch.setattr(rate_limit, "_away_until", 0.0 if redis_answers else float("inf"))
    start = threading.Barrier(16)

    def ask(_: int) -> bool:
        start.wait()
        return rate_limit.consume(key, 1, 10, 60) is None

    with ThreadPoolExecutor(16) as pool:
        passed = sum(sum(pool.map(ask, range(16))) for _ in range(4))
    assert passed == 10
    left = rate_limit.consume(key, 1, 10, 60)
    assert left is not None
    assert 55 < left <= 60
    assert rate_limit.consume(key, -1, 10, 60) is None, "one is given back"
    assert [rate_limit.consume(key, n, 10, 60) is None for n in (2, 1, 1)] == [False, True, False]


def test_a_window_ends_and_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(rate_limit, "MAX_KEYS", 100)
    monkeypatch.setattr(rate_limit.time, "monotonic", lambda: now)
    windows = rate_limit.LocalWindows()
    assert windows.consume("a", 1, 1, 60) is None
    now += 59.5
    assert windows.consume("a", 1, 1, 60) == pytest.approx(0.5)
    now += 0.5
    assert windows.consume("a", 1, 1, 60) is None
    for number in range(1000):
        assert windows.consume(f"n{number}", 1, 1, 60) is None
    assert len(windows._windows) == 100
    assert windows.consume("n999", 1, 1, 60) is not None, "what came last is remembered"
