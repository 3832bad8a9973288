"""The training process's configuration and its errors, for both sides of the pipe. Plain Python."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

NO_SPACE = "The disk is full, so the model cannot be saved. Ask the operator."
KERAS_LEARNER = "training.learner.trainer.fit"


def count_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Base:
    """The model that a run begins with, as an ONNX file and its weights, and how its answers are calibrated."""

    onnx_file: Path
    keras_file: Path
    temperature: float
    uncertain_below: float | None


@dataclass(frozen=True)
class Config:
    """One attempt at a run.

    Attributes:
        folder: The run's folder. Attempts have folders of their own there, as a lost one may go on writing.
        mnist: The folder of the dataset.
        resumed_after_epoch: The checkpoint to continue from; 0 starts over.
        learner: The dotted path of the function that trains.
        base: The model to begin with; None for random weights.
        corrections_file: The corrections to learn, an NPZ file with the arrays images (uint8 [N, 28, 28]), labels
            (int64 [N], 10 for no digit), held_out (bool [N]) and ids (int64 [N]).
        earlier_val_losses: The validation losses of the finished epochs up to `resumed_after_epoch`, if the run
            learns corrections.
        validation_samples: How many training digits to hold back; None for the preset's number.
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
    base: Base | None = None
    corrections_file: Path | None = None
    earlier_val_losses: tuple[float, ...] = ()
    validation_samples: int | None = None

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


class BaseMismatch(LearnerError):
    code = "base_mismatch"


class ProcessLost(Exception):
    """A signal killed the augmentation process: another attempt can continue the run."""
