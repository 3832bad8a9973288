"""The recipes a run can follow, by name. Plain Python: whoever validates a request reads it without TensorFlow."""

from dataclasses import dataclass

TRAINING_DIGITS = 60_000


@dataclass(frozen=True)
class Preset:
    """A recipe and its defaults. The rate decays by `decay` every `decay_steps` batches, staircase."""

    title: str
    epochs: int
    batch_size: int
    samples: int
    learning_rate: float
    decay: float
    decay_steps: int
    dropout: float


PRESETS = {
    "original": Preset(
        title="The original application's recipe: Adam, all 60,000 digits as they are",
        epochs=3,
        batch_size=128,
        samples=TRAINING_DIGITS,
        learning_rate=0.001,
        decay=0.93,
        decay_steps=400,
        dropout=0.5,
    ),
}
