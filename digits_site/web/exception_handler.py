"""DRF's exception handler: every error of the API is answered in the same JSON."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied, TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.views import set_rollback

from digits_site.web import errors
from digits_site.web.error_responses import error_body

logger = logging.getLogger(__name__)

ERRORS: dict[type[Exception], type[errors.ApiError]] = {
    InterfaceError: errors.DatabaseUnavailable,
    OperationalError: errors.DatabaseUnavailable,
    TooManyFieldsSent: errors.TooManyParts,
    TooManyFilesSent: errors.TooManyParts,
    Http404: errors.NotFound,
    PermissionDenied: errors.PermissionDenied,
    drf.ParseError: errors.InvalidJSON,
    drf.NotAuthenticated: errors.NotAuthenticated,
    drf.AuthenticationFailed: errors.NotAuthenticated,  # a wrong token is no better than none
    drf.PermissionDenied: errors.PermissionDenied,
    drf.NotFound: errors.NotFound,
    drf.MethodNotAllowed: errors.MethodNotAllowed,
    drf.NotAcceptable: errors.NotAcceptable,
    drf.UnsupportedMediaType: errors.UnsupportedMediaType,
    drf.Throttled: errors.RateLimited,
}


def handler(exception: Exception, context: dict[str, Any]) -> Response | None:
    """Return the response to an exception, or None for an unexpected one, which Django logs and answers as a 500."""
    set_rollback()
    error = api_error(exception)
    if error is None:
        return None
    if isinstance(error, errors.DatabaseUnavailable):
        logger.error("database away: %s", exception)
    return Response(error_body(error), status=error.status, headers=error.headers)


def api_error(exception: Exception) -> errors.ApiError | None:
    """Return the ApiError for an exception of ours, Django's or DRF's, or None for any other."""
    if isinstance(exception, errors.ApiError):
        return exception
    if isinstance(exception, drf.ValidationError):
        return invalid_parameter(exception)
    for kind, error in ERRORS.items():
        if isinstance(exception, kind):
            return error(**drf_details(exception))
    return None


def drf_details(exception: Exception) -> dict[str, Any]:
    """Return the message and headers that DRF's exception carries."""
    if not isinstance(exception, drf.APIException):
        return {}
    message = None if isinstance(exception, drf.NotAuthenticated) else str(exception.detail)
    challenge, wait = getattr(exception, "auth_header", None), getattr(exception, "wait", None)  # set by APIView
    headers = {"WWW-Authenticate": challenge} if challenge else None
    return {"message": message, "headers": headers, "retry_after": int(wait) + 1 if wait else None}


def invalid_parameter(error: drf.ValidationError) -> errors.InvalidParameter:
    """Return the first invalid field by name, with all of them in `errors`."""
    fields = error.detail if isinstance(error.detail, dict) else {"": error.detail}
    field, reasons = next(iter(fields.items()))
    reason = reasons[0] if isinstance(reasons, list) else reasons
    if field in {"", "non_field_errors"}:
        return errors.InvalidParameter(str(reason))
    return errors.InvalidParameter(f"{field}: {reason}", field=field, errors=fields)
