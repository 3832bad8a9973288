"""What Django answers when no view does."""

import sys
from typing import Any

from django.core.exceptions import DisallowedHost
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from digits_site.web.error_pages import problem
from digits_site.web.errors import RETRY_AFTER_SECONDS


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if isinstance(exception, DisallowedHost):
        return problem(400, "bad_host", "This service does not answer to that host name (ALLOWED_HOSTS).", request)
    return problem(400, "bad_request", "This request cannot be answered.", request)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return problem(403, "permission_denied", "You may not do this.", request)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return problem(404, "not_found", "There is nothing here.", request)


def server_error(request: HttpRequest) -> HttpResponse:
    if isinstance(sys.exc_info()[1], InterfaceError | OperationalError):
        response = problem(503, "database_unavailable", "The database cannot be reached. Try again later.", request)
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return response
    return problem(500, "server_error", "Something went wrong on the server. It has been logged.", request)


def csrf_failure(request: HttpRequest, reason: str = "", **_: Any) -> HttpResponse:
    return problem(403, "csrf_failed", "The form has expired. Go back, reload the page and try again.", request)
