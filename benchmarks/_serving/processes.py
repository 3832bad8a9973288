"""One server as a process tree on one core: its start, its CPU seconds, its memory, its end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120  # seconds that a server may take to its first answer
MEGA = 1e6


class NotServing(Exception):
    """A server ended, or gave no answer; says what it last wrote."""


def cores() -> tuple[set[int], set[int]]:
    """(the server's core, the load's core): the first and the last that this process may use; empty where unknown."""
    if not hasattr(os, "sched_getaffinity"):
        return set(), set()
    usable = sorted(os.sched_getaffinity(0))
    return {usable[0]}, {usable[-1]}


@contextlib.contextmanager
def on(cores: set[int]) -> Iterator[None]:
    """What is started inside runs on these cores."""
    if not cores:
        yield
        return
    usable = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, usable)


class Tree:
    """A server and all processes it starts. They are a group of their own, and are told to end together."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path, where: set[int]) -> None:
        self.log = log
        self.began = time.perf_counter()
        with log.open("wb") as output, on(where):
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._root = psutil.Process(self.process.pid)

    def members(self) -> list[psutil.Process]:
        return [self._root, *self._root.children(recursive=True)]

    def cpu(self) -> float:
        """CPU seconds so far of all processes, those that have ended and were waited for included."""
        total = 0.0
        for member in self.members():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = member.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        return float(total)

    def memory(self) -> float:
        """Megabytes of all processes; what several share is counted once where the system can tell."""
        total = 0
        for member in self.members():
            with contextlib.suppress(psutil.NoSuchProcess):
                full = member.memory_full_info()
                total += getattr(full, "pss", full.rss)
        return total / MEGA

    def largest(self) -> float:
        """Megabytes resident in the largest process: the one that answers."""
        return max(member.memory_info().rss for member in self.members()) / MEGA

    def check(self) -> None:
        """Raises NotServing when the server has ended."""
        if self.process.poll() is not None:
            raise NotServing(f"ended with status {self.process.returncode}: {self.last_words()}")

    def last_words(self) -> str:
        lines = [line.strip() for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return " ".join(lines[-2:])[-300:]

    def stop(self) -> None:
        """End the group; by force what is still there after ten seconds."""
        members = self.members() if self.process.poll() is None else []
        self._tell(signal.SIGTERM)
        _, alive = psutil.wait_procs(members, timeout=10)
        self._tell(signal.SIGKILL)
        for member in alive:  # what made a group of its own
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        self.process.wait(10)

    def _tell(self, what: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, what)
