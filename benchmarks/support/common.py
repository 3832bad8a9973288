"""What the benchmarks share: the machine they run on, tables, percentiles, and a server as a process tree."""

import contextlib
import os
import platform
import resource
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

import psutil

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digits_site.settings")
ROOT = Path(__file__).resolve().parents[2]
BUSY_SHARE = 0.05  # of the processor in other hands, from which figures are not to be relied on


def processor() -> str:
    """The processor's name, as far as the platform tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, {len(names)} cores" if names else platform.processor() or platform.machine()


def machine() -> str:
    """Processor, memory and the versions that matter."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("keras", "numpy"))
    memory = f"{psutil.virtual_memory().total / 2**30:.1f} GiB"
    return f"{platform.platform()}, {processor()}, {memory}\nPython {platform.python_version()}, {versions}"


def allow_descriptors(needed: int) -> None:
    """Raise this process' limit of open files, which the servers that it starts inherit, as far as that is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, needed), hard), hard))


def say(text: str) -> None:
    """Report progress on standard error."""
    print(text, file=sys.stderr, flush=True)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first hold figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie; NaN without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The median and the range."""
    if not values:
        return "–"
    middle = f"{statistics.median(values):.{digits}f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.{digits}f}–{max(values):.{digits}f})"


class OtherLoad:
    """The share of all cores' time that went to processes not started from here, since this object was made."""

    def __init__(self) -> None:
        self._began, self._foreign = time.monotonic(), self._seconds()

    @staticmethod
    def _seconds() -> float:
        times = psutil.cpu_times()
        busy = sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0)
        own = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return float(busy - sum(used.ru_utime + used.ru_stime for used in own))

    def verdict(self) -> str:
        """Processes that were started from here must have ended."""
        passed = (time.monotonic() - self._began) * (psutil.cpu_count() or 1)
        share = max(0.0, (self._seconds() - self._foreign) / passed)
        return (
            f"Other processes used {share:.0%} of the processor{': NOT A QUIET MACHINE' if share > BUSY_SHARE else ''}."
        )


def cores() -> tuple[set[int], set[int]]:
    """The server's core and the load's: the first and the last that this process may use."""
    usable = sorted(os.sched_getaffinity(0))
    return {usable[0]}, {usable[-1]}


@contextlib.contextmanager
def pinned(to: set[int]) -> Iterator[None]:
    """Start processes on these cores."""
    usable = os.sched_getaffinity(0)
    os.sched_setaffinity(0, to)
    try:
        yield
    finally:
        os.sched_setaffinity(0, usable)


class Tree:
    """A server and all the processes that it starts, in a process group of their own."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path, on: set[int]) -> None:
        self.log, self.began = log, time.perf_counter()
        with log.open("wb") as output, pinned(on):
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip
        self._root = psutil.Process(self.process.pid)

    def members(self) -> list[psutil.Process]:
        return [self._root, *self._root.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """Of all processes so far, those that have ended included."""
        return sum(cpu_seconds(member) for member in self.members())

    def largest_megabytes(self) -> float:
        """Resident in the largest process, which is the one that answers."""
        return max(member.memory_info().rss for member in self.members()) / 1e6

    def last_lines(self) -> str:
        return " ".join(self.log.read_text(errors="replace").split("\n")[-4:])[-300:]

    def stop(self) -> None:
        members = self.members() if self.process.poll() is None else []
        for how in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, how)
            _, members = psutil.wait_procs(members, timeout=10)
        self.process.wait(10)


def cpu_seconds(process: psutil.Process, children: bool = True) -> float:
    """User and system seconds of a process, with those of its children that have ended; 0 when it is gone."""
    with contextlib.suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(sum(times[:4] if children else times[:2]))
    return 0.0
