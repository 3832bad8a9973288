"""The errors that clients are told about: a class for each, with its code, status and message. Plain Python."""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

RETRY_AFTER_SECONDS = 5  # what a 503 suggests
MAX_SHOWN = 40  # characters of an unknown name


class ApiError(Exception):
    """An error that a client is told about.

    Attributes:
        code: For programs; stable.
        status: The HTTP status.
        message: The sentence to show; `str(error)` is the same.
        retry_after: Seconds until the client should try again, or None.
        headers: Further headers of the response.
        details: Further keys of the JSON body.
    """

    code: ClassVar[str]
    status: ClassVar[int] = 400
    message: str
    retry_after: int | None = None

    def __init__(
        self,
        message: str | None = None,
        *,
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
        **details: Any,
    ) -> None:
        self.message = message or type(self).message
        self.details = details
        self.retry_after = retry_after or self.retry_after or (RETRY_AFTER_SECONDS if self.status == 503 else None)
        self.headers = dict(headers or {})
        if self.retry_after:
            self.headers["Retry-After"] = str(self.retry_after)
        super().__init__(self.message)


class BadRequest(ApiError):
    code = "bad_request"
    message = "The request is malformed."


class BadHost(ApiError):
    code = "bad_host"
    message = "This host name is not served here (ALLOWED_HOSTS)."


class TooManyParts(ApiError):
    code = "too_many_parts"
    message = "The request has too many fields or files."


class InvalidJSON(ApiError):
    code = "invalid_json"
    message = "The body is not valid JSON."


class InvalidBody(ApiError):
    """The body says that it is packed by gzip, and is not, or is cut or damaged."""

    code = "invalid_body"
    message = "The body is not valid gzip, although its Content-Encoding says so."


class InvalidParameter(ApiError):
    code = "invalid_parameter"
    message = "A parameter is invalid."


def unknown(kind: str, given: object, known: Collection[str]) -> str:
    """Return the sentence about a name that does not exist: what was given, and what exists."""
    shown = str(given)[:MAX_SHOWN] + ("…" if len(str(given)) > MAX_SHOWN else "")
    *others, last = known or ["none"]
    return f'Unknown {kind} "{shown}". Use {", ".join(others)}{" or " if others else ""}{last}.'


def unknown_choice(parameter: str, given: object, known: Collection[str], kind: str = "") -> InvalidParameter:
    """Return the error for a value that the parameter does not take. `kind` says what the value is."""
    message = unknown(kind or parameter, given, known)
    return InvalidParameter(message, field=parameter, errors={parameter: [message]})


class NotAuthenticated(ApiError):
    """The caller is anonymous, or its token is wrong, expired or revoked."""

    code = "not_authenticated"
    status = 401
    message = (
        "This needs an account. Sign in, or send the header Authorization: Token digits_… (manage.py create_token)."
    )


class PermissionDenied(ApiError):
    code = "permission_denied"
    status = 403
    message = "You don't have permission to do this."


class BadOrigin(ApiError):
    code = "bad_origin"
    status = 403
    message = "Requests from another site's page are refused."


class CSRFFailed(ApiError):
    code = "csrf_failed"
    status = 403
    message = "The form has expired. Go back, reload the page and try again."


class ProxiedRequest(ApiError):
    code = "proxied_request"
    status = 403
    message = "Local mode does not serve requests through a proxy."


class NotLocal(ApiError):
    code = "not_local"
    status = 403
    message = "Local mode serves this machine only."


class NotFound(ApiError):
    code = "not_found"
    status = 404
    message = "Not found."


class MethodNotAllowed(ApiError):
    code = "method_not_allowed"
    status = 405
    message = "Method not allowed."


class NotAcceptable(ApiError):
    code = "not_acceptable"
    status = 406
    message = "The response is JSON, but the Accept header does not allow JSON."


class StateChanged(ApiError):
    """The action was confirmed for a state that no longer holds: nothing was done."""

    code = "state_changed"
    status = 409
    message = "Something changed in the meantime, so nothing was done."


class PayloadTooLarge(ApiError):
    """The request body is over MAX_BODY_BYTES or, for a picture, over MAX_PICTURE_BYTES; unpacked, if it is gzip."""

    code = "payload_too_large"
    status = 413

    def __init__(self, limit: int) -> None:
        super().__init__(f"The request body is too large. Send at most {limit} bytes.")


class UnsupportedMediaType(ApiError):
    code = "unsupported_media_type"
    status = 415
    message = "Unsupported media type."


class RateLimited(ApiError):
    code = "rate_limited"
    status = 429
    message = "Too many requests. Try again later."


class TooManyStreams(ApiError):
    code = "too_many_streams"
    status = 429
    retry_after = RETRY_AFTER_SECONDS
    message = "Too many streams are open from your address. Close one, or try again later."


class ServerError(ApiError):
    code = "server_error"
    status = 500
    message = "Something went wrong on the server. It has been logged."


class NoStreams(ApiError):
    """This process answers plain HTTP only (WSGI)."""

    code = "no_streams"
    status = 501
    message = "This process serves no event streams. The ASGI process does."


class Busy(ApiError):
    code = "busy"
    status = 503
    message = "The server is busy. Try again shortly."


class AllStreamsTaken(Busy):
    """The process holds STREAMS_TOTAL streams."""

    message = "Too many streams are open. Try again later."


class DatabaseUnavailable(ApiError):
    code = "database_unavailable"
    status = 503
    message = "The database cannot be reached. Try again later."
