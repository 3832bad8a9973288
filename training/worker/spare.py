"""The training process, and the spare one: it imports TensorFlow between runs, so that the next run begins sooner."""

import atexit
import logging
import multiprocessing
import threading
from multiprocessing.connection import Connection

from django.conf import settings

from training.learner.child import main
from training.learner.config import Config

ANSWER_SECONDS = 2.0  # for a spare to accept a run
logger = logging.getLogger(__name__)


class TrainingProcess:
    """A process that trains one run, and the worker's end of its pipe.

    Spawned, because TensorFlow hangs in a forked child; a process, because it can be killed and gives its memory back.
    """

    pipe: Connection

    def __init__(self, config: Config | None = None) -> None:
        """Start the process: for a run, or as a spare."""
        context = multiprocessing.get_context("spawn")
        self.pipe, child_end = context.Pipe()
        self._process = context.Process(target=main, args=(child_end, settings.LEARNER, config), name="training")
        self._process.start()
        child_end.close()  # only the child holds it, so its death is an EOFError here

    def accepts(self, config: Config) -> bool:
        """Give a spare its run; return whether it answers. It may have been killed or stopped."""
        try:
            self.pipe.send(config)
            return self.pipe.poll(ANSWER_SECONDS) and self.pipe.recv()["type"] == "alive"
        except (EOFError, OSError):
            return False

    def exit_code(self, timeout: float) -> int | None:
        """Wait for the end of the process. None if it does not end in time."""
        self._process.join(timeout)
        return self._process.exitcode

    def end(self) -> None:
        """Kill the process if it is still there."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self.pipe.close()


class Spare:
    """The worker's spare process. There is at most one, and only for a while."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: TrainingProcess | None = None
        self._timer: threading.Timer | None = None

    def start(self) -> None:
        """Start a spare, and end it after TRAINING_SPARE_SECONDS without a run."""
        with self._lock:
            if self._process is not None or settings.TRAINING_SPARE_SECONDS <= 0:
                return
            try:
                self._process = TrainingProcess()
            except OSError as error:
                logger.warning("no spare training process: %s", error)
                return
            self._timer = threading.Timer(settings.TRAINING_SPARE_SECONDS, self.end)
            self._timer.daemon = True
            self._timer.start()

    def assign(self, config: Config) -> TrainingProcess | None:
        """Assign the run to the spare. Return None if there is no spare that works."""
        process = self._take()
        if process is None or process.accepts(config):
            return process
        logger.warning("the spare training process does not answer: the run gets a new one")
        process.end()
        return None

    def end(self) -> None:
        """End the spare, if there is one."""
        if process := self._take():
            process.end()

    def _take(self) -> TrainingProcess | None:
        with self._lock:
            process, self._process = self._process, None
            if self._timer is not None:
                self._timer.cancel()
            return process


spare = Spare()
# After multiprocessing's own, so it is called before: that one would wait for the spare.
atexit.register(spare.end)
