"""Find deliveries that are due: retries, and those whose message or worker was lost.

A thread of the worker for webhooks.
"""

import logging
import threading
import time
from datetime import timedelta

from celery import current_app
from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import close_old_connections
from django.utils import timezone

from digits_site.backends.broker import BROKER_ERRORS
from digits_site.webhooks.models import WebhookDelivery
from digits_site.webhooks.publishing import enqueue
from digits_site.webhooks.slots import full
from digits_site.webhooks.tasks import QUEUE

MIN_POLL_SECONDS, MAX_POLL_SECONDS = 0.1, 2.0
BATCH = 100
RETENTION_SECONDS = 3600.0  # between two applications of WEBHOOK_DAYS
logger = logging.getLogger(__name__)


def poll() -> None:
    """Send deliveries that are due to the queue, if it is empty: those in it are due too."""
    due = WebhookDelivery.objects.due(timezone.now()).exclude(endpoint__in=full()).order_by("next_attempt_at")
    if (deliveries := list(due.values_list("pk", flat=True)[:BATCH])) and not queue_length():
        enqueue(deliveries)


def queue_length() -> int:
    """Return the number of messages in the queue. Raises the broker's errors."""
    with current_app.pool.acquire(block=True) as connection:
        return int(connection.default_channel.client.llen(QUEUE))


def apply_retention() -> None:
    """Delete deliveries that are older than WEBHOOK_DAYS, also those that wait for a disabled endpoint."""
    if settings.WEBHOOK_DAYS:
        old = timezone.now() - timedelta(days=settings.WEBHOOK_DAYS)
        WebhookDelivery.objects.filter(created_at__lt=old).delete()


def watch() -> None:
    """Poll for ever."""
    retention_at = float("-inf")
    while True:
        try:
            close_old_connections()
            poll()
            if time.monotonic() - retention_at >= RETENTION_SECONDS:
                retention_at = time.monotonic()
                apply_retention()
        except (AnyDatabaseError, *BROKER_ERRORS) as error:
            logger.warning("webhooks: %s", error)
        except Exception:  # without this thread no delivery is ever sent again
            logger.exception("webhooks: polling failed")
        finally:
            close_old_connections()
        time.sleep(min(MAX_POLL_SECONDS, max(MIN_POLL_SECONDS, settings.WEBHOOK_RETRY_SECONDS / 2)))


def start() -> None:
    threading.Thread(target=watch, name="webhooks", daemon=True).start()
