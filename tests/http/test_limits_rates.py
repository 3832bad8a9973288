"""How many drawings an address may send: one count for all processes, and a count of its own where Redis is away."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from digits_site.web.limits import rate_limit
from tests.support.ports import free_port
from tests.support.subprocesses import run_python


def test_rate_limits_hold_while_redis_is_unreachable(tmp_path: Path) -> None:
    code = "print(json.dumps([ask('203.0.113.1').status_code for _ in range(4)] + [ask('203.0.113.2').status_code]))"
    away = f"redis://127.0.0.1:{free_port()}/0"
    answers = run_python(code, tmp_path, PREDICT_RATE="3/min", REDIS_URL=away)
    assert answers == [400, 400, 400, 429, 400], "another address is counted by itself"


def test_a_redis_that_does_not_answer_holds_up_one_request_a_second(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        code = """
began = time.monotonic()
statuses = [ask("203.0.113.1").status_code for _ in range(4)]
print(json.dumps([statuses, time.monotonic() - began]))
"""
        away = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        statuses, seconds = run_python(code, tmp_path, PREDICT_RATE="3/min", REDIS_URL=away)
    assert statuses == [400, 400, 400, 429]
    assert seconds < 3.5, "each of the four would wait a second or two"


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
