"""The reports that the training process sends through its pipe, each told by its `type`. Plain Python."""

from collections.abc import Callable
from typing import Literal, TypedDict

from recognition.comparison import SetResult

PhaseName = Literal["importing", "loading", "drawing", "fitting", "evaluating", "exporting", "stopping"]


class _Phase(TypedDict):
    type: Literal["phase"]
    phase: PhaseName


class Phase(_Phase, total=False):
    """The process begins a phase, or is still in it; `progress` is the share of `drawing` that is done."""

    progress: float


class Batch(TypedDict):
    """`step` of `steps` batches of the epoch are done; loss and accuracy are means over the epoch so far."""

    type: Literal["batch"]
    epoch: int
    step: int
    steps: int
    loss: float
    accuracy: float


class Means(TypedDict):
    """Means over an epoch's batches, each measured before its update of the weights.

    `objective` is what training minimises: over all pictures, with the preset's label smoothing. `loss` is the
    cross-entropy and `accuracy` the share of correct answers over the digits alone, to compare presets and validation.
    """

    loss: float
    accuracy: float
    objective: float


class Validation(TypedDict):
    """The same measures of the held-back digits; None where the preset holds none back."""

    val_loss: float | None
    val_accuracy: float | None


class Epoch(Means, Validation):
    """An epoch has finished and its checkpoint is saved."""

    type: Literal["epoch"]
    epoch: int
    learning_rate: float
    seconds: float


class Alive(TypedDict):
    """The process works, with nothing to show."""

    type: Literal["alive"]


class Stopped(TypedDict):
    """The process obeyed a stop and ends."""

    type: Literal["stopped"]


class Failure(TypedDict):
    """The process ends with an error that has a code; repeating the attempt would not help."""

    type: Literal["failure"]
    code: str
    message: str


class Lost(TypedDict):
    """The process ends, and another attempt can continue the run."""

    type: Literal["lost"]
    message: str


class Predictions(TypedDict):
    """The columns of training.models.Predictions."""

    predicted: bytes
    confidence: bytes


class Figures(TypedDict):
    """The measures of a trained network; `confusion[true][predicted]` counts test digits.

    `temperature` divides the logits, and answers with a confidence under `uncertain_below` are uncertain. Both are
    fitted on held-back digits, and None where the preset holds none back.
    """

    test_accuracy: float
    calibration_error: float
    confusion: list[list[int]]
    temperature: float | None
    uncertain_below: float | None
    predictions: Predictions


class Result(Figures):
    """The run is complete and its model files are written.

    `comparison` is of the new model with the one that it began with; None without one.
    """

    type: Literal["result"]
    export_difference: float
    versions: dict[str, str]
    comparison: list[SetResult] | None


Report = Phase | Batch | Epoch | Alive | Stopped | Failure | Lost | Result
SendReport = Callable[[Report], None]
