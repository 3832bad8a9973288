"""From domain errors to HTTP: the one place that knows which error gets which status."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied, TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import Http404, JsonResponse
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.views import set_rollback

from recognition.exceptions import RecognitionError
from recognition.metrics import refused
from training.exceptions import TrainingError

logger = logging.getLogger(__name__)

STATUS = {
    "missing_drawing": 400,
    "missing_drawings": 400,
    "too_many_drawings": 400,
    "invalid_type": 400,
    "invalid_data_url": 400,
    "invalid_base64": 400,
    "empty_image": 400,
    "corrupt_image": 400,
    "image_too_small": 400,
    "image_too_large": 413,
    "unsupported_image": 415,
    "blank_drawing": 422,
    "busy": 503,
    "model_unavailable": 503,
    "model_rejected": 409,
    "no_earlier_model": 409,
    "state_changed": 409,
    "less_accurate": 409,
    "not_an_object": 400,
    "invalid_parameter": 400,
    "run_active": 409,
    "cool_down": 429,
    "permission_denied": 403,
    "not_in_progress": 409,
    "run_mismatch": 409,
    "no_model": 409,
    "no_predictions": 404,
    "digits_unavailable": 503,
    "no_file": 404,
    "storage_unavailable": 503,
    "queue_unavailable": 503,
}
RETRY_AFTER_SECONDS = 5
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
    refused(code)
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
    if isinstance(error, RecognitionError | TrainingError):
        status = STATUS[error.code]
        wait = getattr(error, "retry_after", RETRY_AFTER_SECONDS if status == 503 else None)
        headers = {"Retry-After": str(wait)} if wait else None
        return Response(
            error_body(error.code, str(error), **getattr(error, "more", {})), status=status, headers=headers
        )
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
