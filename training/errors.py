"""What can go wrong between a request to train and its run. Plain Python."""

from __future__ import annotations

from digits_site.web.errors import ApiError


class TrainingError(ApiError):
    """Base of the errors of this app."""


class RunActive(TrainingError):
    """A run is queued or in progress, and there is one at a time."""

    code = "run_active"
    status = 409
    message = "Model creation is already in progress."


class NotInProgress(TrainingError):
    """There is no run to stop. The sentence is the original's."""

    code = "not_in_progress"
    status = 409
    message = "Training not in progress."


class RunMismatch(TrainingError):
    """The run that was to be stopped is not the active one."""

    code = "run_mismatch"
    status = 409
    message = "That run is not the one in progress."


class NotAllowed(TrainingError):
    """Whoever asks may train, but not this."""

    code = "permission_denied"
    status = 403
    message = "You may not do this."


class CoolDown(TrainingError):
    """A visitor has had a run a short while ago; `retry_after` seconds are left."""

    code = "cool_down"
    status = 429

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(f"A visitor's run began a short while ago. The next may be asked for in {retry_after} s.")


class QueueUnavailable(TrainingError):
    """The broker did not take the message; no run was left active."""

    code = "queue_unavailable"
    status = 503
    message = "The queue of training runs cannot be reached. Try again later."


class NoModel(TrainingError):
    """The run has no model: it did not complete."""

    code = "no_model"
    status = 409
    message = "This run has no model."


class NoPredictions(TrainingError):
    """What the run's network read on the test digits is not kept: it did not complete, or was trained long ago."""

    code = "no_predictions"
    status = 404
    message = "What this run's network read on the test digits is not kept."


class DigitsUnavailable(TrainingError):
    """The files of the test digits are missing or altered."""

    code = "digits_unavailable"
    status = 503
    message = "The test digits cannot be read on this server."


class LostClaim(Exception):
    """This process no longer owns the run: another attempt, or an ending, was written meanwhile."""
