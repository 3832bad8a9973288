"""The error responses of an operation, derived from the ApiError classes."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from rest_framework import serializers

from digits_site.web.errors import ApiError

View = TypeVar("View", bound=Callable[..., Any])
ERROR_REF = {"$ref": "#/components/schemas/Error"}
RETRY_AFTER = {"description": "Seconds until the client should try again.", "schema": {"type": "integer"}}


class ErrorSerializer(serializers.Serializer[Any]):
    """Every error response of the API. `message` is the legacy API's key, `detail` DRF's."""

    code = serializers.CharField(help_text="For programs; stable.")
    message = serializers.CharField(help_text="For people.")
    detail = serializers.CharField(help_text="The same text as `message`.")
    run = serializers.IntegerField(
        required=False, help_text="With `run_active`, `run_mismatch` and `queue_unavailable`: the run's ID."
    )
    field = serializers.CharField(required=False, help_text="With `invalid_parameter`: the first invalid field.")
    errors: Any = serializers.DictField(  # shadows Serializer.errors, which only validation uses
        required=False, help_text="With `invalid_parameter`: the errors of every field."
    )
    objections = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="With `worse_than_champion`: in what the model did worse.",
    )


def raises(*errors: type[ApiError]) -> Callable[[View], View]:
    """Document the errors of a view's method, besides those that every such view can raise."""

    def decorate(method: View) -> View:
        method.api_errors = errors  # type: ignore[attr-defined]
        return method

    return decorate


def error_responses(errors: Iterable[type[ApiError]]) -> dict[str, Any]:
    """Return a response for each status of these errors, with their codes and messages."""
    by_status: dict[int, dict[str, str]] = defaultdict(dict)
    for error in errors:
        # An error whose message depends on the request is described by its docstring.
        by_status[error.status][error.code] = getattr(error, "message", None) or error.__doc__ or ""
    return {str(status): error_response(status, messages) for status, messages in sorted(by_status.items())}


def error_response(status: int, messages: dict[str, str]) -> dict[str, Any]:
    codes = {"type": "object", "properties": {"code": {"enum": sorted(messages)}}}
    response: dict[str, Any] = {
        "description": "\n".join(f"- `{code}`: {message}" for code, message in sorted(messages.items())),
        "content": {"application/json": {"schema": {"allOf": [ERROR_REF, codes]}}},
    }
    return response | ({"headers": {"Retry-After": RETRY_AFTER}} if status in {429, 503} else {})
