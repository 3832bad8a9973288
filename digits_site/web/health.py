"""Health for load balancers: liveness and readiness."""

from collections.abc import Callable, Mapping
from contextlib import suppress

from django.core.cache import cache
from django.db import Error as AnyDatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError


def is_database_ready() -> bool:
    with suppress(AnyDatabaseError), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return True
    return False


def is_redis_ready() -> bool:
    with suppress(RedisError):
        cache.get("readyz")
        return True
    return False


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the process answers."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest, more_checks: Mapping[str, Callable[[], bool]]) -> HttpResponse:
    """Check the database, Redis, and `more_checks` of the URL configuration. 503 names what is missing."""
    is_ready = {"database": is_database_ready, "redis": is_redis_ready, **more_checks}
    checks = {name: check() for name, check in is_ready.items()}
    ready = all(checks.values())
    return JsonResponse({"status": "ready" if ready else "not_ready", "checks": checks}, status=200 if ready else 503)
