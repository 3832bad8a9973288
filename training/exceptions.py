"""What can go wrong between a request to train and its run, in plain Python."""

from __future__ import annotations

from typing import Any, ClassVar


class TrainingError(Exception):
    """Base of the errors a caller is told; `more` are further keys of the answer."""

    code: ClassVar[str] = "training_error"
    message: ClassVar[str] = "The run could not be changed."

    def __init__(self, message: str | None = None, **more: Any) -> None:
        self.more = more
        super().__init__(message or self.message)


class RunActive(TrainingError):
    """A run is queued or in progress, and there is one at a time."""

    code = "run_active"
    message = "Model creation is already in progress."


class NotInProgress(TrainingError):
    """There is no run to stop. The sentence is the original's."""

    code = "not_in_progress"
    message = "Training not in progress."


class RunMismatch(TrainingError):
    """The run that was to be stopped is not the active one."""

    code = "run_mismatch"
    message = "That run is not the one in progress."


class NotAllowed(TrainingError):
    """Whoever asks may train, but not this."""

    code = "permission_denied"
    message = "You may not do this."


class CoolDown(TrainingError):
    """A visitor has had a run a short while ago; `retry_after` seconds are left."""

    code = "cool_down"

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(f"A visitor's run began a short while ago. The next may be asked for in {retry_after} s.")


class QueueUnavailable(TrainingError):
    """The broker did not take the message; no run was left active."""

    code = "queue_unavailable"
    message = "The queue of training runs cannot be reached. Try again later."


class NoModel(TrainingError):
    """The run has no model: it did not complete."""

    code = "no_model"
    message = "This run has no model."


class NoPredictions(TrainingError):
    """What the run's network read on the test digits is not kept: it did not complete, or was trained long ago."""

    code = "no_predictions"
    message = "What this run's network read on the test digits is not kept."


class DigitsUnavailable(TrainingError):
    """The files of the test digits are missing or altered."""

    code = "digits_unavailable"
    message = "The test digits cannot be read on this server."


class LostClaim(Exception):
    """This process no longer owns the run: another attempt, or an ending, was written meanwhile."""
