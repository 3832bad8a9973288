"""Write what a run begins with into its folder: the base model's weights, and the corrections to learn."""

import io
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from recognition import registry
from recognition.prediction.classifier import registered_bytes
from training.learner.config import Base, Config
from training.models import RunCorrections, TrainingRun


def add_inputs(config: Config, run: TrainingRun) -> Config:
    """Return the config with the inputs of a run that has a base model, after writing their files.

    Each attempt writes them again. Raises OSError, ModelRejected, NoFile and StorageUnavailable.
    """
    if run.base is None:
        return config
    files = config.folder / "base.onnx", config.folder / "base.keras"
    base = Base(*files, run.base.temperature, run.base.uncertain_below)
    write(base.onnx_file, registered_bytes(run.base))
    write(base.keras_file, registry.content_of(run.base.keras_file))
    corrections_file = config.folder / "corrections.npz"
    write(corrections_file, as_npz(run.corrections))
    finished = run.epochs.filter(epoch__lte=config.resumed_after_epoch).order_by("epoch")
    losses = tuple(loss for loss in finished.values_list("val_loss", flat=True) if loss is not None)
    return replace(config, base=base, corrections_file=corrections_file, earlier_val_losses=losses)


def as_npz(corrections: RunCorrections) -> bytes:
    """Return the corrections as Config.corrections_file describes them."""
    ids, labels, held_out = zip(*corrections.entries, strict=True)
    buffer = io.BytesIO()
    np.savez(
        buffer,
        images=np.frombuffer(corrections.pictures, np.uint8).reshape(-1, 28, 28),
        labels=np.array(labels, np.int64),
        held_out=np.array(held_out, bool),
        ids=np.array(ids, np.int64),
    )
    return buffer.getvalue()


def write(path: Path, content: bytes) -> None:
    """Write a file completely or not at all: a training process that outlived its worker may be reading it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)
