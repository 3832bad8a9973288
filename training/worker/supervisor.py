"""Supervise the training process: relay reports, write heartbeats, pass on a stop, and kill it if need be."""

import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection

from django.conf import settings

from training.learner import checkpoints
from training.learner.child import STOP
from training.learner.config import Config
from training.learner.reports import Report, Result
from training.live.broadcast import RunProgress, persist
from training.worker.spare import TrainingProcess, spare

BEAT_SECONDS = 0.5  # also the interval at which a stop is looked for
GRACE_SECONDS = 4.5  # between the request to stop and the kill
STALL_SECONDS = 300.0  # without a report
DETAIL_CHARACTERS = 20_000
LINE_CHARACTERS = 500
TIMED_OUT = "timed_out"  # the error code of a run that took longer than RUN_SECONDS


class ChildStopped(Exception):
    """A stop was requested, and the training process has ended."""


class ChildLost(Exception):
    """The training process was killed, hung, or ends with this worker: another attempt can continue the run."""


class ChildFailed(Exception):
    """The training process reported an error or died of an exception; `detail` is its log."""

    def __init__(self, code: str, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.code, self.detail = code, detail


def supervise(config: Config, progress: RunProgress, shutdown: threading.Event) -> tuple[Result, dict[str, float]]:
    """Train in a spawned process and return its result, and the seconds of its phases.

    Raises ChildStopped, ChildLost, ChildFailed and LostClaim. The process is gone whichever way this ends.
    """
    process = spare.assign(config) or TrainingProcess(config)
    try:
        return Supervision(config, process.pipe, progress, shutdown).follow()
    except EOFError:
        raise error_from_exit_code(process.exit_code(GRACE_SECONDS), config) from None
    finally:
        process.end()


class Supervision:
    """One training process, seen from the worker's end of the pipe."""

    def __init__(self, config: Config, pipe: Connection, progress: RunProgress, shutdown: threading.Event) -> None:
        self.run, self.config, self.pipe, self.progress, self.shutdown = progress.run, config, pipe, progress, shutdown
        self.beaten_at = float("-inf")
        self.began_at = self.heard_at = time.monotonic()
        self.elapsed = self.elapsed_before = self.run.elapsed_seconds
        self.phases: dict[str, float] = {"starting": self.began_at}  # when each began
        self.stopping_since: float | None = None
        self.limit = settings.RUN_SECONDS if settings.RUN_SECONDS > 0 else float("inf")

    def follow(self) -> tuple[Result, dict[str, float]]:
        """Relay reports until the result. Raises EOFError when the process is gone."""
        while True:
            self.poll()
            if self.pipe.poll(BEAT_SECONDS / 2):
                try:
                    report: Report = self.pipe.recv()
                except OSError as error:  # a reset pipe is closed too
                    raise EOFError from error
                self.heard_at = time.monotonic()
                if report["type"] == "result":
                    return self.accept(report)
                self.relay(report)

    def accept(self, result: Result) -> tuple[Result, dict[str, float]]:
        """Return the result and the seconds of the phases. Raises ChildStopped if a stop came first."""
        self.beat(self.heard_at)
        if self.run.stop_requested_at:
            raise ChildStopped
        ends = [*list(self.phases.values())[1:], self.heard_at]
        phases = zip(self.phases.items(), ends, strict=True)
        return result, {phase: round(end - begin, 3) for (phase, begin), end in phases}

    def beat(self, now: float) -> None:
        """Write a heartbeat, and the seconds of all attempts by the monotonic clock."""
        self.elapsed, self.beaten_at = self.elapsed_before + now - self.began_at, now
        persist(lambda: self.run.beat(self.elapsed))

    def relay(self, report: Report) -> None:
        """Persist and broadcast one report. Raises ChildFailed, ChildLost, ChildStopped and LostClaim."""
        if report["type"] == "batch":
            self.progress.batch(report)
        elif report["type"] == "epoch":
            self.progress.epoch(report)
            checkpoints.discard_before(self.config, report["epoch"])
        elif report["type"] == "phase":
            self.phases.setdefault(report["phase"], self.heard_at)
            self.progress.phase(report)
        elif report["type"] == "failure":
            raise ChildFailed(report["code"], report["message"])
        elif report["type"] == "lost":
            raise ChildLost(report["message"])
        elif report["type"] == "stopped":
            raise ChildStopped

    def poll(self) -> None:
        """Write a heartbeat if due, and check everything that ends an attempt from outside.

        Raises LostClaim, ChildStopped, ChildLost, and ChildFailed when the run takes too long.
        """
        now = time.monotonic()
        if now - self.beaten_at >= BEAT_SECONDS:
            self.beat(now)
        if self.run.stop_requested_at and self.stopping_since is None:
            self.stopping_since = now
            with suppress(OSError):  # it has ended, and its last report is still unread
                self.pipe.send(STOP)
        if self.stopping_since is not None and now - self.stopping_since > GRACE_SECONDS:
            raise ChildStopped
        if self.shutdown.is_set():
            raise ChildLost("the worker is shutting down")
        if now - self.heard_at > STALL_SECONDS:
            raise ChildLost(f"no report for {STALL_SECONDS:.0f} seconds")
        if self.elapsed > self.limit and self.stopping_since is None:
            raise ChildFailed(
                TIMED_OUT, f"The run took longer than {settings.RUN_SECONDS:,} seconds. Train fewer epochs or digits."
            )


def error_from_exit_code(exit_code: int | None, config: Config) -> ChildLost | ChildFailed:
    """Return ChildLost for a signal, and ChildFailed for an exception, which would recur."""
    if exit_code is None or exit_code < 0:
        return ChildLost(f"the training process ended with signal {-(exit_code or 0)}")
    log = config.log_file
    detail = log.read_text(errors="replace")[-DETAIL_CHARACTERS:] if log.exists() else ""
    last = next((line for line in reversed(detail.splitlines()) if line.strip()), "nothing in its log")
    return ChildFailed("training_failed", f"The training process failed: {hide_paths(last)[:LINE_CHARACTERS]}", detail)


def hide_paths(text: str) -> str:
    """Return an error's text without this machine's folders: everybody can read it."""
    return text.replace(f"{settings.DATA_DIR}/", "").replace(f"{settings.BASE_DIR}/", "")
