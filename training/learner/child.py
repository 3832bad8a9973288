"""The spawned process: its end of the pipe, and the environment TensorFlow must find before it is imported."""

from __future__ import annotations

import os
import signal
import threading
from multiprocessing.connection import Connection

from training.learner.config import Config, LearnerError

STOP = "stop"
TENSORFLOW_ENVIRONMENT = {
    "TF_ENABLE_ONEDNN_OPTS": "1",  # off by default on some CPUs, and twice as fast
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
}


def main(pipe: Connection, config: Config) -> None:
    """Train as told and report through `pipe`; what is not foreseen ends in a traceback and a non-zero exit."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the worker decides, Ctrl-C reaches it too
    log = (config.folder / "log.txt").open("w")
    os.dup2(log.fileno(), 1)  # by number: libraries write there from C as well
    os.dup2(log.fileno(), 2)
    os.nice(5)  # answering drawings comes first
    os.environ.update(TENSORFLOW_ENVIRONMENT)
    stop = threading.Event()
    threading.Thread(target=obey, args=(pipe, stop), daemon=True).start()
    try:
        pipe.send({"type": "phase", "phase": "importing"})
        from training.learner import trainer

        result = trainer.fit(config, pipe.send, stop)
        pipe.send(result.as_report() if result else {"type": "stopped"})
    except LearnerError as error:
        pipe.send({"type": "failure", "code": error.code, "message": str(error)})
    except BrokenPipeError:
        os._exit(1)


def obey(pipe: Connection, stop: threading.Event) -> None:
    """Wait for the word to stop. A broken pipe means that the worker is gone, and this process with it, at once."""
    try:
        while True:
            if pipe.recv() == STOP:
                stop.set()
    except (EOFError, OSError):
        os._exit(1)
