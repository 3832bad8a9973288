"""What can go wrong: one class for each thing that a caller does about it."""

from typing import Any


class DigitsError(Exception):
    """The base of all errors of this package."""


class Unreachable(DigitsError):
    """No answer came: the server is away, or the network."""


class UnknownAnswer(DigitsError):
    """What answered is not the service: another page, a redirect, a damaged body."""


class BadArgument(DigitsError, ValueError):
    """The URL, the token, or a value cannot be sent."""


class Refused(DigitsError):
    """The server refused the request.

    Attributes:
        status: The HTTP status.
        code: For programs; stable.
        details: The whole JSON of the error, for instance the `run` that is active.
        retry_after: Seconds until it is worth trying again, or None.
    """

    def __init__(self, status: int, details: dict[str, Any], retry_after: float | None = None) -> None:
        self.status, self.details, self.retry_after = status, details, retry_after
        self.code = str(details.get("code") or "unknown")
        super().__init__(str(details.get("message") or f"The server answered {status}."))

    @property
    def did_nothing(self) -> bool:
        """Whether a busy service certainly did nothing: it limits requests, or says itself that it made no run."""
        return self.status == 429 or (self.status == 503 and "code" in self.details and "run" not in self.details)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.status, self.details, self.retry_after)

    def as_dict(self) -> dict[str, Any]:
        """Return the error for programs."""
        return {"code": self.code, "message": str(self), **self.details}


class Invalid(Refused):
    """The picture or a parameter is not acceptable (400, 413, 415, 422)."""


class NotAllowed(Refused):
    """The token is missing, wrong, or lacks a scope (401, 403)."""


class NotFound(Refused):
    """There is no such run, model or file (404)."""


class Conflict(Refused):
    """The state forbids it (409): a run is active, or none is."""


class Busy(Refused):
    """Too many requests (429), or the server cannot answer now (5xx)."""


def refusal(status: int, details: dict[str, Any], retry_after: float | None) -> Refused:
    """Return the error for a status."""
    kinds: dict[int, type[Refused]] = {401: NotAllowed, 403: NotAllowed, 404: NotFound, 409: Conflict, 429: Busy}
    kind = kinds.get(status, Busy if status >= 500 else Invalid)
    return kind(status, details, retry_after)
