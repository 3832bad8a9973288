"""Watches the training process: relays its reports, beats, passes on a stop, and kills it when it must."""

from __future__ import annotations

import multiprocessing
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from django.conf import settings

from training.learner import checkpoints
from training.learner.child import STOP, main
from training.learner.config import Config
from training.live.broadcast import RunProgress, persist
from training.models import TrainingRun

BEAT_SECONDS = 0.5  # also how soon a stop is seen
GRACE_SECONDS = 4.5  # between the word to stop and the kill
STALL_SECONDS = 300.0  # without a report, whatever it is doing, it hangs
DETAIL_CHARACTERS = 20_000
LINE_CHARACTERS = 500  # of it that every viewer is told


class ChildStopped(Exception):
    """The run was to be stopped, and its training process has ended."""


class ChildLost(Exception):
    """The training process was killed, hung, or has to go with this worker: the run can be taken up again."""


class ChildFailed(Exception):
    """The training process said what went wrong, or died of an exception; `detail` is its log."""

    def __init__(self, code: str, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.code, self.detail = code, detail


def supervise(run: TrainingRun, config: Config, progress: RunProgress, shutdown: threading.Event) -> dict[str, Any]:
    """Train in a spawned process and return its result report.

    Spawned, because TensorFlow hangs in a forked child; a process, because it can be killed and gives its memory back.
    Raises ChildStopped, ChildLost, ChildFailed and LostClaim. The process is gone whichever way this ends.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=main, args=(theirs, config), name=f"training-{run.pk}")
    process.start()
    theirs.close()  # only the child holds it now, so its death is an end of file here
    try:
        return Watch(run, config, ours, progress, shutdown).follow()
    except EOFError:
        process.join(GRACE_SECONDS)
        raise died(process.exitcode, config) from None
    finally:
        process.kill()
        process.join()
        process.close()
        ours.close()


class Watch:
    """The worker's end of the pipe."""

    def __init__(
        self, run: TrainingRun, config: Config, pipe: Connection, progress: RunProgress, shutdown: threading.Event
    ) -> None:
        self.run, self.config, self.pipe, self.progress, self.shutdown = run, config, pipe, progress, shutdown
        self.beaten_at = float("-inf")
        self.began_at = self.heard_at = time.monotonic()
        self.elapsed = self.elapsed_before = run.elapsed_seconds
        self.phases = PhaseClock(self.began_at)
        self.stopping_since: float | None = None
        self.limit = settings.RUN_SECONDS if settings.RUN_SECONDS > 0 else float("inf")

    def follow(self) -> dict[str, Any]:
        """Relay reports until the result. Raises EOFError when the training process is gone."""
        while True:
            self.look()
            if self.pipe.poll(BEAT_SECONDS / 2):
                try:
                    report = self.pipe.recv()
                except OSError as error:  # a reset pipe is a closed one
                    raise EOFError from error
                self.heard_at = time.monotonic()
                if report["type"] == "result":
                    return self.result(report)
                self.relay(report)

    def result(self, report: dict[str, Any]) -> dict[str, Any]:
        """The result, unless a stop came while it was being made."""
        self.beat(self.heard_at)
        if self.run.stop_requested_at:
            raise ChildStopped
        return report | {"phase_seconds": self.phases.seconds(self.heard_at)}

    def beat(self, now: float) -> None:
        """Write a heartbeat, and the seconds of all attempts until now by this process's monotonic clock."""
        self.elapsed, self.beaten_at = self.elapsed_before + now - self.began_at, now
        persist(lambda: self.run.beat(self.elapsed))

    def relay(self, report: dict[str, Any]) -> None:
        """Pass one report on, after the rows it makes."""
        kind = report.pop("type")
        if kind == "batch":
            self.progress.batch(report)
        elif kind == "epoch":
            self.progress.epoch(report)
            checkpoints.discard_before(self.config, report["epoch"])
        elif kind == "phase":
            self.phases.enter(report["phase"], self.heard_at)
            self.progress.tell("phase", **report)
        elif kind == "failure":
            raise ChildFailed(report["code"], report["message"])
        elif kind == "lost":
            raise ChildLost(report["message"])
        elif kind == "stopped":
            raise ChildStopped

    def look(self) -> None:
        """Beat, and see to whatever ends an attempt from outside. Raises LostClaim, ChildStopped and ChildLost."""
        now = time.monotonic()
        if now - self.beaten_at >= BEAT_SECONDS:
            self.beat(now)
        if self.run.stop_requested_at and self.stopping_since is None:
            self.stopping_since = now
            self.send_stop()
        if self.stopping_since is not None and now - self.stopping_since > GRACE_SECONDS:
            raise ChildStopped
        if self.shutdown.is_set():
            raise ChildLost("the worker is shutting down")
        if now - self.heard_at > STALL_SECONDS:
            raise ChildLost(f"no report for {STALL_SECONDS:.0f} seconds")
        if self.elapsed > self.limit and self.stopping_since is None:
            raise ChildFailed(
                "timed_out", f"The run took longer than the {settings.RUN_SECONDS} seconds it may take here."
            )

    def send_stop(self) -> None:
        with suppress(OSError):  # it has gone, and what it said last has yet to be read
            self.pipe.send(STOP)


class PhaseClock:
    """How long the phases of an attempt take, in monotonic seconds; `starting` lasts until the first report."""

    def __init__(self, now: float) -> None:
        self._entered = {"starting": now}

    def enter(self, phase: str, now: float) -> None:
        """Note that a phase has begun; it may be reported again while it lasts."""
        self._entered.setdefault(phase, now)

    def seconds(self, now: float) -> dict[str, float]:
        """Return the seconds of each phase, of which the last ends now."""
        ends = [*list(self._entered.values())[1:], now]
        return {phase: round(end - begin, 3) for (phase, begin), end in zip(self._entered.items(), ends, strict=True)}


def died(exit_code: int | None, config: Config) -> ChildLost | ChildFailed:
    """A signal took it: again. It ended by itself without a result: an exception, which would come again."""
    if exit_code is None or exit_code < 0:
        return ChildLost(f"the training process ended with signal {-(exit_code or 0)}")
    log = config.log_file
    detail = log.read_text(errors="replace")[-DETAIL_CHARACTERS:] if log.exists() else ""
    last = next((line for line in reversed(detail.splitlines()) if line.strip()), "no word")
    return ChildFailed("training_failed", f"The training process failed: {last[:LINE_CHARACTERS]}", detail)
