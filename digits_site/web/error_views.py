"""The project's error views: handler400 to handler500 and CSRF_FAILURE_VIEW."""

import sys
from typing import Any

from django.core.exceptions import DisallowedHost
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from digits_site.web import errors
from digits_site.web.error_responses import error_response


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    bad_host = isinstance(exception, DisallowedHost)
    return error_response(errors.BadHost() if bad_host else errors.BadRequest(), request)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_response(errors.PermissionDenied("You don't have permission to see this page."), request)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_response(errors.NotFound("Page not found."), request)


def server_error(request: HttpRequest) -> HttpResponse:
    database_away = isinstance(sys.exc_info()[1], InterfaceError | OperationalError)
    return error_response(errors.DatabaseUnavailable() if database_away else errors.ServerError(), request)


def csrf_failure(request: HttpRequest, reason: str = "", **_: Any) -> HttpResponse:
    return error_response(errors.CSRFFailed(), request)
