"""The spawned process: its end of the pipe, and the environment TensorFlow must find before it is imported."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from importlib import import_module
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from training.learner.config import Config, HelperLost, LearnerError

if TYPE_CHECKING:
    from training.learner.result import Result

    Learner = Callable[[Config, Callable[[dict[str, Any]], None], threading.Event], Result | None]

STOP = "stop"
STOP_SECONDS = 1.0  # for the next batch to obey; whatever else is being done is left as it is
TENSORFLOW_ENVIRONMENT = {
    "TF_ENABLE_ONEDNN_OPTS": "1",  # off by default on some CPUs, and twice as fast
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
}


class Line:
    """This process's end of the pipe. Two threads speak on it, one listens."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._speaking = threading.Lock()
        self.stop = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def report(self, report: dict[str, Any]) -> None:
        """Raises BrokenPipeError when the worker is gone."""
        with self._speaking:
            self._pipe.send(report)

    def _listen(self) -> None:
        """Wait for the word to stop. A broken pipe means that the worker is gone, and this process with it, at once."""
        try:
            while True:
                if self._pipe.recv() == STOP:
                    self.stop.set()
                    if not self._pipe.poll(STOP_SECONDS):
                        self.report({"type": "stopped"})  # importing, loading, exporting: nobody there looks at `stop`
                        os._exit(0)
        except (EOFError, OSError):
            os._exit(1)


def main(pipe: Connection, config: Config) -> None:
    """Train as told and report through `pipe`; what is not foreseen ends in a traceback and a non-zero exit."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the worker decides, Ctrl-C reaches it too
    log = config.log_file.open("w")
    os.dup2(log.fileno(), 1)  # by number: libraries write there from C as well
    os.dup2(log.fileno(), 2)
    os.nice(5)  # answering drawings comes first
    # What a killed process leaves in its temporary folder goes with the run.
    os.environ.update(TENSORFLOW_ENVIRONMENT, TMPDIR=str(config.attempt_folder))
    line = Line(pipe)
    try:
        line.report({"type": "phase", "phase": "importing"})
        fit = import_learner(config.learner)
        result = fit(config, line.report, line.stop)
        line.report(result.as_report() if result else {"type": "stopped"})
    except LearnerError as error:
        line.report({"type": "failure", "code": error.code, "message": str(error)})
    except HelperLost as error:
        line.report({"type": "lost", "message": str(error)})
    except BrokenPipeError:
        os._exit(1)


def import_learner(path: str) -> Learner:
    """Import the function that trains; Keras' takes TensorFlow along."""
    module, _, name = path.rpartition(".")
    learner: Learner = getattr(import_module(module), name)
    return learner
