"""The spawned training process: its end of the pipe, and the environment that TensorFlow needs before its import."""

import errno
import gc
import os
import signal
import tempfile
import threading
from collections.abc import Callable
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue

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
        self.runs: SimpleQueue[Config] = SimpleQueue()  # it gets one
        threading.Thread(target=self._receive, daemon=True).start()

    def send(self, report: Report) -> None:
        """Send a report. Raises BrokenPipeError when the worker is gone."""
        with self._sending:
            self._pipe.send(report)

    def begin(self, config: Config) -> None:
        """Begin the run, also while the learner is still being imported. Raises BrokenPipeError and OSError."""
        redirect_output(config.log_file)
        # Temporary files of a killed process are removed with the run.
        tempfile.tempdir = str(config.attempt_folder)
        os.environ.update(TMPDIR=tempfile.tempdir)
        self.send({"type": "alive"})
        self.send({"type": "phase", "phase": "importing"})
        self.runs.put(config)

    def _receive(self) -> None:
        """Wait for a run and for a stop. A broken pipe means that the worker is gone: exit at once."""
        try:
            while True:
                message = self._pipe.recv()
                if isinstance(message, Config):
                    self.begin(message)
                elif message == STOP:
                    self.stop.set()
                    if not self._pipe.poll(STOP_SECONDS):
                        self.send({"type": "stopped"})  # imports and exports do not check `stop`
                        os._exit(0)
        except (EOFError, OSError):
            os._exit(1)


def main(pipe: Connection, learner: str, config: Config | None = None) -> None:
    """Import the learner, then train and report through `pipe`. Without a config, be a spare and wait for one.

    An unexpected exception ends in a traceback and a non-zero exit code.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the worker too, which decides
    os.nice(5)  # drawings come first
    os.environ.update(TENSORFLOW_ENVIRONMENT)
    if config is None:
        redirect_output(Path(os.devnull))
    connection = ChildConnection(pipe)
    try:
        if config is not None:
            connection.begin(config)
        fit = import_learner(learner)
        result = fit(connection.runs.get(), connection.send, connection.stop)
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


def redirect_output(file: Path) -> None:
    """Send standard output and errors to a file, by number: C libraries write there too."""
    with file.open("w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)


def import_learner(path: str) -> Learner:
    """Import the function that trains. The product's own imports TensorFlow."""
    module, _, name = path.rpartition(".")
    gc.disable()  # it would search what an import makes, which is no garbage, for a sixth of the time
    learner: Learner = getattr(import_module(module), name)
    gc.freeze()
    gc.enable()
    return learner
