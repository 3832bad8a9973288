"""What the training process is told, and the errors it can name. Plain Python: both sides of the pipe read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

KERAS_LEARNER = "training.learner.trainer.fit"


@dataclass(frozen=True)
class Config:
    """One attempt at a run.

    `folder` is the run's own, and holds what its attempts share. Each attempt writes into a folder of its own there,
    because an attempt that was thought dead may go on writing. `resumed_after_epoch` names the checkpoint in it that
    the attempt continues from; 0 starts over. `learner` is the dotted path of the function that trains.
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
    def drawings_file(self) -> Path:
        return self.folder / "drawings.uint8"

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
    """A failure that has a name; everything else is `training_failed` with a traceback."""

    code: ClassVar[str]


class DatasetError(LearnerError):
    code = "dataset"


class Diverged(LearnerError):
    code = "diverged"


class ExportMismatch(LearnerError):
    code = "export_mismatch"


class NoSpace(LearnerError):
    code = "no_space"


class HelperLost(Exception):
    """A signal took a process that the training process needs: the run can be taken up again."""
