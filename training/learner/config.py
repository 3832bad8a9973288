"""The training process's configuration and its errors, for both sides of the pipe. Plain Python."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

NO_SPACE = "The disk is full, so the model cannot be saved. Ask the operator."
KERAS_LEARNER = "training.learner.trainer.fit"


@dataclass(frozen=True)
class Config:
    """One attempt at a run.

    Attributes:
        folder: The run's folder. Attempts have folders of their own there, as a lost one may go on writing.
        mnist: The folder of the dataset.
        resumed_after_epoch: The checkpoint to continue from; 0 starts over.
        learner: The dotted path of the function that trains.
    """

    preset: str
    epochs: int
    batch_size: int
    learning_rate: float
    samples: int
    seed: int
    folder: Path
    mnist: Path
    attempt: int = 1
    resumed_after_epoch: int = 0
    learner: str = KERAS_LEARNER

    @property
    def attempt_folder(self) -> Path:
        return self.folder / f"attempt-{self.attempt}"

    @property
    def log_file(self) -> Path:
        return self.attempt_folder / "log.txt"

    @property
    def model_file(self) -> Path:
        return self.attempt_folder / "model.onnx"

    @property
    def keras_file(self) -> Path:
        return self.attempt_folder / "model.keras"

    def checkpoint(self, epoch: int) -> Path:
        return self.attempt_folder / f"epoch-{epoch:04}.keras"


class LearnerError(Exception):
    """An error with a code; every other one is `training_failed` with a traceback."""

    code: ClassVar[str]


class DatasetError(LearnerError):
    code = "dataset"


class Diverged(LearnerError):
    code = "diverged"


class ExportMismatch(LearnerError):
    code = "export_mismatch"


class ProcessLost(Exception):
    """A signal killed the augmentation process: another attempt can continue the run."""
