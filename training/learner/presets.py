"""Presets: the recipes of a run, by name. Plain Python, so that requests are validated without TensorFlow."""

from dataclasses import dataclass

TRAINING_DIGITS = 60_000
DECAY, DECAY_BATCHES = 0.93, 400  # the staircase schedule: times 0.93 every 400 batches


@dataclass(frozen=True)
class Preset:
    """A recipe and its default parameters; all presets have the same layers.

    `held_back` training digits are kept for validation and calibration, unless a run asks for another number.
    `synthetic` digits and `non_digits` (pictures of no digit) join every epoch of 60,000 digits.
    """

    title: str
    epochs: int
    batch_size: int
    samples: int
    learning_rate: float
    dropout: float
    muon: bool = False  # Muon for the kernels, Adam for the other weights
    beta_2: float = 0.999  # Adam's memory of squared gradients
    cosine: bool = False  # a one-cycle schedule instead of the staircase
    rise: float = 0.1  # share of the batches in which the rate rises
    averaging: float = 0.0  # share of the batches over which the weights are averaged, about
    held_back: int = 0
    augmented: bool = False
    settling: float = 0.0  # share of the epochs, at the end, with less augmentation
    label_smoothing: float = 0.0
    synthetic: int = 0
    non_digits: int = 0
    adapts: bool = False  # begins with the model in service and learns accepted corrections


PRESETS = {
    "original": Preset(
        title="Classic recipe: all 60,000 digits, unaltered",
        epochs=3,
        batch_size=128,
        samples=TRAINING_DIGITS,
        learning_rate=0.001,
        dropout=0.5,
    ),
    "fast": Preset(
        title="Fast: 99.0% after one epoch of 33,000 digits, with a one-cycle learning rate and smoothed labels",
        epochs=1,
        batch_size=64,
        samples=33_000,
        learning_rate=0.005,
        dropout=0.1,
        beta_2=0.95,
        cosine=True,
        rise=0.3,
        held_back=2_500,
        label_smoothing=0.1,
    ),
    "handwriting": Preset(
        title="For real handwriting: augmented and synthetic digits, averaged weights, calibrated confidence",
        epochs=40,
        batch_size=256,
        samples=TRAINING_DIGITS,
        learning_rate=0.003,
        dropout=0.3,
        muon=True,
        beta_2=0.99,
        cosine=True,
        averaging=0.058,
        held_back=2_500,
        augmented=True,
        settling=0.27,
        label_smoothing=0.03,
        synthetic=18_000,
        non_digits=14_000,
    ),
    "adapt": Preset(
        title="Learn from corrections: the model in service learns them and keeps what it knows",
        epochs=8,
        batch_size=256,
        samples=TRAINING_DIGITS,
        learning_rate=0.0006,
        dropout=0.0,  # the teacher's targets are what regularizes
        beta_2=0.99,
        cosine=True,
        rise=0.15,
        averaging=0.25,
        held_back=2_500,
        adapts=True,
    ),
}


def is_continuable(preset: str) -> bool:
    """Return whether runs of the preset can be continued: it exists, and learns no corrections."""
    return preset in PRESETS and not PRESETS[preset].adapts
