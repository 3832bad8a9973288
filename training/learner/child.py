"""The spawned training process: its end of the pipe, and the environment that TensorFlow needs before its import."""

import errno
import os
import signal
import threading
from collections.abc import Callable
from importlib import import_module
from multiprocessing.connection import Connection

from training.learner.config import NO_SPACE, Config, LearnerError, ProcessLost
from training.learner.reports import Report, Result, SendReport

Learner = Callable[[Config, SendReport, threading.Event], Result | None]
STOP = "stop"
STOP_SECONDS = 1.0  # for the next batch to obey; any other work is cut short
TENSORFLOW_ENVIRONMENT = {
    "TF_ENABLE_ONEDNN_OPTS": "1",  # off by default on some CPUs, and twice as fast
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
}


class ChildConnection:
    """The training process's end of the pipe. Two threads send on it, one receives."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._sending = threading.Lock()
        self.stop = threading.Event()
        threading.Thread(target=self._receive, daemon=True).start()

    def send(self, report: Report) -> None:
        """Send a report. Raises BrokenPipeError when the worker is gone."""
        with self._sending:
            self._pipe.send(report)

    def _receive(self) -> None:
        """Wait for a stop. A broken pipe means that the worker is gone: exit at once."""
        try:
            while True:
                if self._pipe.recv() == STOP:
                    self.stop.set()
                    if not self._pipe.poll(STOP_SECONDS):
                        self.send({"type": "stopped"})  # imports and exports do not check `stop`
                        os._exit(0)
        except (EOFError, OSError):
            os._exit(1)


def main(pipe: Connection, config: Config) -> None:
    """Train and report through `pipe`; an unexpected exception ends in a traceback and a non-zero exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the worker too, which decides
    log = config.log_file.open("w")
    os.dup2(log.fileno(), 1)  # by number: C libraries write there too
    os.dup2(log.fileno(), 2)
    os.nice(5)  # drawings come first
    # Temporary files of a killed process are removed with the run.
    os.environ.update(TENSORFLOW_ENVIRONMENT, TMPDIR=str(config.attempt_folder))
    connection = ChildConnection(pipe)
    try:
        connection.send({"type": "phase", "phase": "importing"})
        module, _, name = config.learner.rpartition(".")
        learner: Learner = getattr(import_module(module), name)  # the product's own imports TensorFlow
        result = learner(config, connection.send, connection.stop)
        connection.send(result or {"type": "stopped"})
    except LearnerError as error:
        connection.send({"type": "failure", "code": error.code, "message": str(error)})
    except ProcessLost as error:
        connection.send({"type": "lost", "message": str(error)})
    except BrokenPipeError:
        os._exit(1)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        connection.send({"type": "failure", "code": "no_space", "message": NO_SPACE})
