"""Health for load balancers: liveness, and readiness from checks that apps register."""

from collections.abc import Callable
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


_checks: dict[str, Callable[[], bool]] = {"database": is_database_ready, "redis": is_redis_ready}


def register_check(name: str, is_ready: Callable[[], bool]) -> None:
    """Make `/readyz` call `is_ready` as well, which returns False when the process cannot do its work."""
    _checks[name] = is_ready


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the process answers."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Run all checks. 503 names what is missing."""
    checks = {name: is_ready() for name, is_ready in _checks.items()}
    ready = all(checks.values())
    return JsonResponse({"status": "ready" if ready else "not_ready", "checks": checks}, status=200 if ready else 503)
