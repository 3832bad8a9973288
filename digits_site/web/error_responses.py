"""Errors as HTTP responses: the API's JSON for programs, a page for browsers.

Views and middleware call `error_response`, Django calls the error views, and DRF calls `handle_exception`.
"""

import logging
import sys
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import (
    DisallowedHost,
    PermissionDenied,
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.views import set_rollback

from digits_site.observability.metrics import count_refusal
from digits_site.web import errors
from digits_site.web.errors import ApiError

ERRORS: dict[type[Exception], type[ApiError]] = {
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
UNKNOWN = "unknown"  # the code of a ValidationError whose sentence names its field
logger = logging.getLogger(__name__)


def count_and_serialize(error: ApiError) -> dict[str, Any]:
    """Count the error and return its JSON: `message` is the legacy API's key, `detail` DRF's, with the same text."""
    count_refusal(error.code)
    return {"code": error.code, "message": error.message, "detail": error.message, **error.details}


def error_response(error: ApiError, request: HttpRequest | None = None) -> HttpResponse:
    """Return the response to `error`: JSON, or a page if a browser made `request`."""
    if request is None or wants_json(request):
        return JsonResponse(count_and_serialize(error), status=error.status, headers=error.headers)
    count_refusal(error.code)
    context = {"status": error.status, "message": error.message}
    template = "500.html" if error.status >= 500 else "error.html"  # 500.html needs no database and no context
    if error.status < 500 and is_in_admin(request):
        template, context = "admin/error.html", {**admin.site.each_context(request), **context}
    page = render_to_string(template, context, request)
    return HttpResponse(page, status=error.status, headers=error.headers)


def is_in_admin(request: HttpRequest) -> bool:
    """Return whether the request is for the admin, and came far enough for its account to be known."""
    return hasattr(request, "user") and request.path.startswith(reverse("admin:index"))


def wants_json(request: HttpRequest) -> bool:
    """Return whether the client is a program rather than a browser."""
    return request.path.startswith(("/api/", "/ws/")) or "text/html" not in request.headers.get("Accept", "")


# --- Django's error views ---


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    bad_host = isinstance(exception, DisallowedHost)
    return error_response(errors.BadHost() if bad_host else errors.BadRequest(), request)


def error_view(error: ApiError) -> Callable[..., HttpResponse]:
    def view(request: HttpRequest, exception: Exception | None = None, **_: Any) -> HttpResponse:
        return error_response(error, request)

    return view


forbidden = error_view(errors.PermissionDenied("You don't have permission to see this page."))
not_found = error_view(errors.NotFound("Page not found."))
csrf_failure = error_view(errors.CSRFFailed())


def server_error(request: HttpRequest) -> HttpResponse:
    database_away = isinstance(sys.exc_info()[1], InterfaceError | OperationalError)
    return error_response(errors.DatabaseUnavailable() if database_away else errors.ServerError(), request)


# --- DRF's exception handler ---


def handle_exception(exception: Exception, context: dict[str, Any]) -> Response | None:
    """Return the response to an exception, or None for an unexpected one, which Django logs and answers as a 500."""
    set_rollback()
    error = api_error(exception)
    if error is None:
        return None
    if isinstance(error, errors.DatabaseUnavailable):
        logger.error("database away: %s", exception)
    return Response(count_and_serialize(error), status=error.status, headers=error.headers)


def api_error(exception: Exception) -> ApiError | None:
    """Return the ApiError for an exception of ours, Django's or DRF's, or None for any other."""
    if isinstance(exception, ApiError):
        return exception
    if isinstance(exception, drf.ValidationError):
        return invalid_parameter(exception)
    if isinstance(exception, RequestDataTooBig):  # fields of a form whose file may be larger
        return errors.PayloadTooLarge(settings.MAX_BODY_BYTES)
    error = next((error for kind, error in ERRORS.items() if isinstance(exception, kind)), None)
    if error is None or not isinstance(exception, drf.APIException):
        return error() if error else None
    message = None if isinstance(exception, drf.NotAuthenticated) else str(exception.detail)
    challenge, wait = getattr(exception, "auth_header", None), getattr(exception, "wait", None)  # set by APIView
    headers = {"WWW-Authenticate": challenge} if challenge else None
    return error(message, headers=headers, retry_after=int(wait) + 1 if wait else None)


def invalid_parameter(error: drf.ValidationError) -> errors.InvalidParameter:
    """Return the first invalid field by name, with all of them in `errors`."""
    fields = error.detail if isinstance(error.detail, dict) else {"": error.detail}
    field, reasons = next(iter(fields.items()))
    while isinstance(reasons, dict | list):  # a list's errors come by index
        reasons = next(iter(reasons.values() if isinstance(reasons, dict) else reasons))
    reason = reasons
    if field in {"", "non_field_errors"}:
        return errors.InvalidParameter(str(reason))
    named = getattr(reason, "code", "") == UNKNOWN
    return errors.InvalidParameter(str(reason) if named else f"{field}: {reason}", field=field, errors=fields)
