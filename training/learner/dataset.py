"""Load MNIST from the repository, and check its SHA-256."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.learner.config import Config, DatasetError
from training.learner.presets import PRESETS

SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
IMAGE_HEADER, LABEL_HEADER = 16, 8
SPLIT_SEED = 2026
NO_DIGIT = 10  # the label of a picture of no digit
REPEATED = 11  # 11 to 20: the labels of several zeros, of several ones, ...
LEANING = 0.3  # to the digit that is repeated: an uncertain answer, but not chance's
# No digit is uniform (Hendrycks, Mazeika, Dietterich: Deep Anomaly Detection with Outlier Exposure, ICLR 2019).
TARGETS = np.full((REPEATED + 10, 10), 0.1, np.float32)
TARGETS[:NO_DIGIT] = np.eye(10)
TARGETS[REPEATED:] = (1 - LEANING) / 9 + np.eye(10) * (LEANING - (1 - LEANING) / 9)


@dataclass(frozen=True)
class Digits:
    """`images` float32 [N, 28, 28, 1], ink 1.0 on 0.0; `labels` int64 [N]."""

    images: NDArray[np.float32]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: NDArray[np.intp] | slice) -> Digits:
        return Digits(self.images[rows], self.labels[rows])


def read_file(folder: Path, name: str) -> bytes:
    """Return one decompressed IDX file. Raises DatasetError if it is missing, damaged or altered."""
    try:
        content = gzip.decompress((folder / f"{name}.gz").read_bytes())
    except (OSError, EOFError, ValueError) as error:
        raise DatasetError(f"The dataset file {name}.gz cannot be loaded: {error}") from error
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise DatasetError(f"The dataset file {name}.gz is altered: its SHA-256 is not MNIST's.")
    return content


def as_stored(folder: Path, part: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return (images [N, 28, 28], ink 255 on 0; labels [N]) of `train` (60,000) or `t10k` (10,000), in file order."""
    images = np.frombuffer(read_file(folder, f"{part}-images-idx3-ubyte"), np.uint8, offset=IMAGE_HEADER)
    labels = np.frombuffer(read_file(folder, f"{part}-labels-idx1-ubyte"), np.uint8, offset=LABEL_HEADER)
    return images.reshape(-1, 28, 28), labels


def load(folder: Path, part: str) -> Digits:
    """Return `train` or `t10k` for the network, in file order."""
    return for_network(*as_stored(folder, part))


def for_network(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Digits:
    return Digits(images[..., np.newaxis].astype(np.float32) / np.float32(255), labels.astype(np.int64))


def load_parts(config: Config) -> tuple[Digits, Digits]:
    """Return (training digits, held-back digits) of a run. Only the chosen ones are converted to float32.

    Runs that hold back as many digits hold back the same ones, and those of a smaller number are among them, so that
    runs can be compared.
    """
    images, labels = as_stored(config.mnist, "train")
    given = config.validation_samples
    held_back = PRESETS[config.preset].held_back if given is None else given
    rows = np.random.default_rng(SPLIT_SEED).permutation(len(labels)) if held_back else np.arange(len(labels))
    held, kept = np.split(rows, [held_back])
    if config.samples < len(kept):
        kept = kept[np.random.default_rng(config.seed).permutation(len(kept))[: config.samples]]
    return for_network(images[kept], labels[kept]), for_network(images[held], labels[held])
