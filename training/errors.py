"""Errors between a request to train and its run. Plain Python."""

from digits_site.web.errors import ApiError, PermissionDenied


class RunActive(ApiError):
    """Another run is queued or in progress."""

    code = "run_active"
    status = 409

    def __init__(self, run: int) -> None:
        super().__init__(f"Run {run} is already training.", run=run)


class QueueFull(ApiError):
    """QUEUE_LIMIT runs wait already."""

    code = "queue_full"
    status = 409

    def __init__(self, limit: int) -> None:
        waits = "1 run waits" if limit == 1 else f"{limit} runs wait"
        super().__init__(f"{waits} already. Cancel one, or try again when one has started.", limit=limit)


class NoCheckpoint(ApiError):
    """The run to continue has not ended, finished no epoch, or its checkpoint is no longer kept."""

    code = "no_checkpoint"
    status = 409

    def __init__(self, run: int) -> None:
        super().__init__(
            f"Run {run} cannot be continued: it has not ended, or the weights of its last epoch are not kept.", run=run
        )


class NotInProgress(ApiError):
    """There is no run to stop. The sentence is the legacy API's."""

    code = "not_in_progress"
    status = 409
    message = "Training not in progress."


class RunMismatch(ApiError):
    """The run to stop is not the active one, which is `run`."""

    code = "run_mismatch"
    status = 409

    def __init__(self, run: int) -> None:
        super().__init__(f"Run {run} is training, not the run that you named.", run=run)


class NotAllowed(PermissionDenied):
    """The requester may train, but not do this."""


class CoolDown(ApiError):
    """Visitors have to wait `retry_after` seconds after a visitor's run."""

    code = "cool_down"
    status = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"A visitor started a run recently. Try again in {retry_after} s.", retry_after=retry_after)


class QueueUnavailable(ApiError):
    """The broker did not take the message; the run has ended."""

    code = "queue_unavailable"
    status = 503
    message = "The training queue cannot be reached. Try again later."


class TooFewCorrections(ApiError):
    """The preset `adapt` needs more accepted corrections."""

    code = "too_few_corrections"
    status = 409

    def __init__(self, count: int, needed: int) -> None:
        super().__init__(
            f"The preset adapt needs at least {needed} accepted corrections; there are {count}.",
            count=count,
            needed=needed,
        )


class CorrectionsGone(ApiError):
    """Corrections of the run that is to be repeated have been deleted since."""

    code = "corrections_gone"
    status = 409
    message = "Corrections that this run used were deleted, so it cannot be repeated."


class NoModel(ApiError):
    """The run did not complete, so it has no model; or no model is in service to start from."""

    code = "no_model"
    status = 409
    message = "This run has no model."


class NoWeights(ApiError):
    """The model in service was trained elsewhere, so it has no Keras file whose weights `adapt` could begin with."""

    code = "no_weights"
    status = 409
    message = "The model in service has no Keras file to train further. Put a model that was trained here into service."


class NoComparison(ApiError):
    """The run learned no corrections, or did not complete, so its model was compared with none."""

    code = "no_comparison"
    status = 404
    message = "This run's model was not compared with another one."


class NoPredictions(ApiError):
    """The run did not complete, so it has no test predictions."""

    code = "no_predictions"
    status = 404
    message = "No test predictions are stored for this run."


class DigitsUnavailable(ApiError):
    """The files of the test digits are missing or altered."""

    code = "digits_unavailable"
    status = 503
    message = "The test digits cannot be loaded on this server. Ask the operator."


class LostClaim(Exception):
    """This process no longer owns the run: meanwhile it was claimed by another attempt, or has ended."""
