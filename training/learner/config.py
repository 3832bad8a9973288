"""What the training process is told, and the errors it can name. Plain Python: both sides of the pipe read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True)
class Config:
    """One attempt at a run.

    `folder` is the run's own: checkpoints and the exported model. `finished_epochs` of an earlier attempt have rows.
    """

    preset: str
    epochs: int
    batch_size: int
    learning_rate: float
    samples: int
    seed: int
    folder: Path
    mnist: Path
    finished_epochs: int = 0

    @property
    def model_file(self) -> Path:
        return self.folder / "model.onnx"

    @property
    def keras_file(self) -> Path:
        return self.folder / "model.keras"

    def checkpoint(self, epoch: int) -> Path:
        return self.folder / f"epoch-{epoch:04}.keras"


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
