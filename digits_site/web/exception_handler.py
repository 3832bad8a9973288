"""DRF's exception handler: every error that is answered becomes one kind of JSON."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied, TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import Http404, JsonResponse
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.views import set_rollback

from digits_site.observability.metrics import count_refusal
from digits_site.web.errors import RETRY_AFTER_SECONDS, ApiError

logger = logging.getLogger(__name__)

HOW_TO_AUTHENTICATE = (
    "This needs an account: sign in, or send the header Authorization: Token digits_… (manage.py create_token)."
)
DRF_CODES = {
    "parse_error": "invalid_json",
    "throttled": "rate_limited",
    "authentication_failed": "not_authenticated",  # a wrong token is no better than none
}


class DatabaseUnavailable(drf.APIException):
    """The database does not answer; what was asked may be asked again."""

    status_code = 503
    default_code = "database_unavailable"
    default_detail = "The database cannot be reached. Try again later."
    wait = RETRY_AFTER_SECONDS


class TooManyParts(drf.APIException):
    """A form or a query of more fields or files than Django reads."""

    status_code = 400
    default_code = "too_many_parts"
    default_detail = "The request has too many fields or files."


def error_body(code: str, message: str, **more: Any) -> dict[str, Any]:
    """`message` is the original's key and `detail` DRF's: the same words. Every error that is answered is counted."""
    count_refusal(code)
    return {"code": code, "message": message, "detail": message, **more}


def error_response(status: int, code: str, message: str) -> JsonResponse:
    """The error's JSON where no DRF view is at hand: middleware, handlers of the URLconf."""
    return JsonResponse(error_body(code, message), status=status)


def handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER. Returns None for the unforeseen, which Django logs and answers as a 500."""
    set_rollback()
    if isinstance(error, InterfaceError | OperationalError):
        logger.error("database away: %s", error)
        error = DatabaseUnavailable()
    if isinstance(error, ApiError):
        headers = {"Retry-After": str(error.retry_after)} if error.retry_after else None
        return Response(error_body(error.code, error.message, **error.details), status=error.status, headers=headers)
    if isinstance(error, Http404):
        error = drf.NotFound()
    elif isinstance(error, PermissionDenied):
        error = drf.PermissionDenied()
    elif isinstance(error, TooManyFieldsSent | TooManyFilesSent):
        error = TooManyParts()
    if isinstance(error, drf.ValidationError):
        return validation_error(error)
    if isinstance(error, drf.NotAuthenticated):
        error.detail = drf.ErrorDetail(HOW_TO_AUTHENTICATE, error.default_code)
    if isinstance(error, drf.APIException):
        return api_error(error)
    return None


def api_error(error: drf.APIException) -> Response:
    """One of DRF's own errors, under the API's code for it."""
    code = str(error.get_codes()) if isinstance(error.detail, str) else error.default_code
    headers = {}
    challenge, wait = getattr(error, "auth_header", None), getattr(error, "wait", None)  # as APIView sets them
    if challenge:
        headers["WWW-Authenticate"] = challenge
    if wait:
        headers["Retry-After"] = str(int(wait) + 1)
    return Response(error_body(DRF_CODES.get(code, code), str(error.detail)), status=error.status_code, headers=headers)


def validation_error(error: drf.ValidationError) -> Response:
    """The first invalid field by name; the others stand in `errors`."""
    fields = error.detail if isinstance(error.detail, dict) else {"": error.detail}
    field, reasons = next(iter(fields.items()))
    reason = reasons[0] if isinstance(reasons, list) else reasons
    if field in {"", "non_field_errors"}:
        return Response(error_body("invalid_parameter", str(reason)), status=400)
    return Response(error_body("invalid_parameter", f"{field}: {reason}", field=field, errors=fields), status=400)
