"""`/metrics`: where all measurements of an installation are read."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from digits_site.web import errors
from digits_site.web.error_responses import error_response

_collectors: list[Collector] = []


def register_collector(collector: Collector) -> None:
    """Make `/metrics` ask `collector` as well, each time that it is read."""
    _collectors.append(collector)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Everything, in Prometheus' text format. 200 while the process answers, whatever else is away.

    Local mode serves this machine alone. In public mode a token is needed: without METRICS_TOKEN there is no such page.
    """
    if not settings.LOCAL:
        if not settings.METRICS_TOKEN:
            raise Http404
        if not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}"):
            message = "Metrics need METRICS_TOKEN as a bearer token."
            return error_response(errors.NotAuthenticated(message, headers={"WWW-Authenticate": "Bearer"}))
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(readings()), content_type=content_type)


def readings() -> CollectorRegistry:
    """This process's measurements, or those of all that share METRICS_DIR; and what database and Redis tell."""
    registry = CollectorRegistry()
    if settings.METRICS_DIR:
        from digits_site.observability import multiprocess  # needs a Unix

        multiprocess.forget_the_dead(settings.METRICS_DIR)
        MultiProcessCollector(registry, str(settings.METRICS_DIR))
    else:
        registry.register(REGISTRY)
    for collector in _collectors:
        registry.register(collector)
    return registry
