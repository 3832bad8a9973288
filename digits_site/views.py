"""Health, and the answers Django gives when no view does."""

import sys
from typing import Any

from django.core.cache import cache
from django.core.exceptions import DisallowedHost
from django.db import Error as AnyDatabaseError
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from digits_site.exceptions import RETRY_AFTER_SECONDS
from digits_site.problems import problem
from recognition import classifier
from recognition.exceptions import ModelUnavailable


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """The process can do its work: database, Redis and a loaded model. 503 names what is missing."""
    checks = {"database": database_answers(), "redis": redis_answers(), "model": model_answers()}
    ready = all(checks.values())
    return JsonResponse({"status": "ready" if ready else "not_ready", "checks": checks}, status=200 if ready else 503)


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except AnyDatabaseError:
        return False
    return True


def redis_answers() -> bool:
    try:
        cache.get("readyz")
    except RedisError:
        return False
    return True


def model_answers() -> bool:
    try:
        classifier.in_service()
    except (ModelUnavailable, AnyDatabaseError):
        return False
    return True


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
