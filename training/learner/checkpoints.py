"""The checkpoints of a run's attempts: which one the next attempt continues from, and which are obsolete."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

from training.learner.config import Config

CHECKPOINT = re.compile(r"epoch-(\d+)\.keras")


def prepare_attempt(config: Config, finished_epochs: int) -> Config:
    """Make the attempt's folder and move the newest usable checkpoint of earlier attempts into it.

    A checkpoint is usable if its epoch has its row. The folders of earlier attempts are removed, so a training process
    that outlived its worker fails at its next write and cannot remove what this attempt needs.

    Returns the config with `resumed_after_epoch`. Raises OSError.
    """
    earlier = [folder for folder in config.folder.glob("attempt-*") if folder != config.attempt_folder]
    config.attempt_folder.mkdir(parents=True, exist_ok=True)
    found = [file for folder in earlier for file in folder.glob("epoch-*.keras")]
    usable = {epoch_of(file): file for file in found if epoch_of(file) <= min(finished_epochs, config.epochs)}
    resumed = max(usable, default=0)
    if resumed:
        usable[resumed].replace(config.checkpoint(resumed))
    for folder in earlier:
        shutil.rmtree(folder, ignore_errors=True)
    return replace(config, resumed_after_epoch=resumed)


def discard_before(config: Config, epoch: int) -> None:
    """Remove the attempt's checkpoints before `epoch`, which has its row."""
    for file in config.attempt_folder.glob("epoch-*.keras"):
        if epoch_of(file) < epoch:
            file.unlink(missing_ok=True)


def epoch_of(file: Path) -> int:
    """Return the epoch in a checkpoint's file name, 0 for other files."""
    name = CHECKPOINT.fullmatch(file.name)
    return int(name[1]) if name else 0
