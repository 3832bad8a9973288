"""Errors that are answered to a client: a class for each, with its code, its status and its sentence. Plain Python."""

from __future__ import annotations

from typing import Any, ClassVar

RETRY_AFTER_SECONDS = 5  # what a 503 suggests


class ApiError(Exception):
    """An error that a client is told about.

    Attributes:
        code: For programs; stable.
        status: The HTTP status.
        message: The sentence to show; `str(error)` is the same.
        retry_after: Seconds until the client should try again, or None.
        details: Further keys of the JSON body.
    """

    code: ClassVar[str]
    status: ClassVar[int] = 400
    message: str
    retry_after: int | None = None

    def __init__(self, message: str | None = None, **details: Any) -> None:
        self.message = message or type(self).message
        self.details = details
        if self.retry_after is None and self.status == 503:
            self.retry_after = RETRY_AFTER_SECONDS
        super().__init__(self.message)


class StateChanged(ApiError):
    """The action was confirmed for a state that no longer holds: nothing was done."""

    code = "state_changed"
    status = 409
    message = "Something changed in the meantime, so nothing was done."
