"""The recipes a run can follow, by name. Plain Python: whoever validates a request reads it without TensorFlow."""

from dataclasses import dataclass

from training.parameters import TRAINING_DIGITS

DECAY, DECAY_BATCHES = 0.93, 400  # the original's staircase: so much of the rate after so many batches


@dataclass(frozen=True)
class Preset:
    """A recipe and its defaults; the layers of the network are the same in all of them.

    `held_back` training digits are kept for validation and calibration. `drawn` and `others` are how many digits drawn
    by the program, and how many pictures of no digit, join every epoch of 60,000.
    """

    title: str
    epochs: int
    batch_size: int
    samples: int
    learning_rate: float
    dropout: float
    beta_2: float = 0.999  # Adam's memory of squared gradients
    cosine: bool = False  # one rise and a long fall of the rate, instead of 0.93 every 400 batches
    rise: float = 0.1  # share of the batches in which it rises
    averaging: float = 0.0  # the weights are averaged over about this share of all batches
    held_back: int = 0
    augmented: bool = False
    settling: float = 0.0  # share of the epochs, at the end, whose digits are changed less
    label_smoothing: float = 0.0
    drawn: int = 0
    others: int = 0


PRESETS = {
    "original": Preset(
        title="The original application's recipe: all 60,000 digits as they are",
        epochs=3,
        batch_size=128,
        samples=TRAINING_DIGITS,
        learning_rate=0.001,
        dropout=0.5,
    ),
    "fast": Preset(
        title="The shortest way to 99.0 %: 33,000 digits once, a high rate that rises and falls, smoothed labels",
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
        title="For what people draw: digits bent, styled and drawn anew, averaged weights, calibrated confidence",
        epochs=60,
        batch_size=256,
        samples=TRAINING_DIGITS,
        learning_rate=0.0015,
        dropout=0.35,
        beta_2=0.99,
        cosine=True,
        averaging=0.058,
        held_back=2_500,
        augmented=True,
        settling=0.27,
        label_smoothing=0.03,
        drawn=18_000,
        others=6_000,
    ),
}
