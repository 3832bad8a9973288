"""Several real processes after the same row at once: one of them gets it, by the rules of either database."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import Any

import httpx
import pytest

from tests.support.ports import free_port, wait_for_port
from tests.support.stack import ROOT, Stack

pytestmark = [pytest.mark.stack, pytest.mark.postgres]
PROCESSES, WEBS, REQUESTS, ROUNDS = 3, 2, 100, 12


class Contenders:
    """Processes of tests.support.contenders over one stack's database."""

    def __init__(self, stack: Stack) -> None:
        command = [sys.executable, "-m", "tests.support.contenders"]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.members = [
            subprocess.Popen(command, cwd=ROOT, env=stack.environment, text=True, **pipes) for _ in range(PROCESSES)
        ]
        assert {member.stdout.readline() for member in self.members} == {"ready\n"}

    def all(self, act: str, number: int = PROCESSES) -> Counter[str]:
        """What they answer, told at the same moment."""
        members = self.members[:number]
        for member in members:
            member.stdin.write(f"{act}\n")
        for member in members:
            member.stdin.flush()
        return Counter(member.stdout.readline().strip() for member in members)

    def one(self, act: str) -> str:
        (answer,) = self.all(act, 1)
        return answer

    def close(self) -> None:
        for member in self.members:
            member.communicate(timeout=20)


@pytest.fixture(scope="module")
def webs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Web processes and no worker, so that a run which is asked for stays queued."""
    with closing(Stack(tmp_path_factory.mktemp("contenders"), WATCHDOG="false")) as stack:
        stack.start_redis()
        stack.prepare()
        stack.ports = [free_port() for _ in range(WEBS)]
        for port in stack.ports:
            stack.launch_web(f"web-{port}", port)
        for port in stack.ports:
            wait_for_port(port)
        yield stack


@pytest.fixture(scope="module")
def members(webs: Stack) -> Iterator[Contenders]:
    with closing(Contenders(webs)) as contenders:
        yield contenders


@pytest.fixture
def contenders(members: Contenders) -> Contenders:
    """No run is active."""
    members.one("clear")
    return members


def test_of_processes_that_ask_for_a_run_at_once_one_gets_it(contenders: Contenders) -> None:
    for _ in range(ROUNDS):
        answers = contenders.all("request")
        (started,) = [answer for answer in answers if answer.startswith("started")]
        refused = started.replace("started", "refused")
        assert answers == {started: 1, refused: PROCESSES - 1}, "every refusal names the run that won"
        contenders.one("clear")


def test_of_processes_that_claim_a_run_at_once_one_gets_it(contenders: Contenders) -> None:
    for _ in range(ROUNDS):
        contenders.one("request")
        contenders.all("look")
        assert contenders.all("claim") == {"claimed 1": 1, "left": PROCESSES - 1}
        assert contenders.one("state") == "in_progress 1 2 1"
        contenders.one("clear")


def test_a_lost_run_that_all_processes_find_at_once_is_handed_back_once(contenders: Contenders) -> None:
    contenders.one("request")
    for state in ("queued 1 3 1", "queued 2 5 1", "error 3 7 0"):
        contenders.all("look")
        contenders.all("claim")
        contenders.all("look")
        assert contenders.all("sweep") == {"swept": PROCESSES}
        assert contenders.one("state") == state, "its third attempt is its last"


def test_of_a_hundred_requests_to_several_processes_one_starts_a_run(webs: Stack, contenders: Contenders) -> None:
    def ask(http: httpx.Client, number: int) -> tuple[int, int]:
        port = webs.ports[number % WEBS]
        answer = http.post(f"http://127.0.0.1:{port}/api/retrain_model/", json={"samples": 64, "epochs": 1})
        return answer.status_code, answer.json()["run"]

    with (
        httpx.Client(timeout=60, limits=httpx.Limits(max_connections=REQUESTS)) as http,
        ThreadPoolExecutor(100) as pool,
    ):
        answers = list(pool.map(partial(ask, http), range(REQUESTS)))
    assert Counter(status for status, _ in answers) == {202: 1, 409: REQUESTS - 1}
    assert len({run for _, run in answers}) == 1, "every refusal names the run that won"
