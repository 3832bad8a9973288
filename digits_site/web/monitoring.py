"""What machines ask: health for load balancers, metrics for Prometheus."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from django.conf import settings
from django.core.cache import cache
from django.db import Error as AnyDatabaseError
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from digits_site.web.error_responses import error_response
from digits_site.web.errors import NotAuthenticated


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


@never_cache
@require_safe
def metrics(request: HttpRequest, collectors: Sequence[Collector]) -> HttpResponse:
    """Return all metrics in Prometheus' text format, those of `collectors` included, whatever else is away.

    Local mode serves this machine only. Public mode needs METRICS_TOKEN; without one the page does not exist.
    """
    if not settings.LOCAL:
        if not settings.METRICS_TOKEN:
            raise Http404
        if not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}"):
            message = "Metrics need METRICS_TOKEN as a bearer token."
            return error_response(NotAuthenticated(message, headers={"WWW-Authenticate": "Bearer"}))
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(collect(collectors)), content_type=content_type)


def collect(collectors: Sequence[Collector]) -> CollectorRegistry:
    """Return the metrics of this process, or of all that share METRICS_DIR, and those of `collectors`."""
    registry = CollectorRegistry()
    if settings.METRICS_DIR:
        from digits_site.observability import multiprocess  # needs a Unix

        multiprocess.remove_dead_gauges(settings.METRICS_DIR)
        MultiProcessCollector(registry, str(settings.METRICS_DIR))
    else:
        registry.register(REGISTRY)
    for collector in collectors:
        registry.register(collector)
    return registry
