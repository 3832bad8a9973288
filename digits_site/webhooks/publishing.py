"""Tell endpoints of an event, by a transactional outbox: rows first, and messages once they are committed."""

import logging
import threading
from collections.abc import Iterable, Mapping
from functools import lru_cache, partial
from queue import SimpleQueue
from typing import Any
from uuid import uuid4

import orjson
from django.db import transaction
from django.utils import timezone

from digits_site.backends.broker import BROKER_ERRORS
from digits_site.web.errors import StateChanged
from digits_site.webhooks import tasks
from digits_site.webhooks.events import TEST
from digits_site.webhooks.models import WebhookDelivery, WebhookEndpoint, select_endpoints

_unsent: SimpleQueue[int] = SimpleQueue()
logger = logging.getLogger(__name__)


def publish(event_type: str, data: Mapping[str, Any]) -> None:
    """Write a delivery for each endpoint that is told of this event.

    Call it in the transaction of the change: both are committed, or neither. Without endpoints it costs one query.
    """
    if endpoints := select_endpoints(event_type):
        add_deliveries(endpoints, event_type, data)


def send_test(endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Send this endpoint a test, which is not repeated if it fails, whether or not the endpoint is enabled."""
    return add_deliveries([endpoint], TEST, {"endpoint": endpoint.pk})[0]


def add_deliveries(
    endpoints: Iterable[WebhookEndpoint], event_type: str, data: Mapping[str, Any]
) -> list[WebhookDelivery]:
    now, message_id = timezone.now(), f"msg_{uuid4().hex}"
    payload = orjson.dumps({"type": event_type, "timestamp": now, "data": data}, option=orjson.OPT_UTC_Z).decode()
    values = {"message_id": message_id, "event_type": event_type, "payload": payload}
    with transaction.atomic():
        rows = WebhookDelivery.objects.bulk_create(
            WebhookDelivery(endpoint=endpoint, created_at=now, next_attempt_at=now, **values) for endpoint in endpoints
        )
        transaction.on_commit(partial(enqueue, [row.pk for row in rows]), robust=True)
    return rows


def resend(delivery: WebhookDelivery) -> None:
    """Begin again with the first attempt of a delivery that is not pending. Raises StateChanged."""
    ended = WebhookDelivery.objects.filter(pk=delivery.pk, status=delivery.status)
    with transaction.atomic():
        pending = WebhookDelivery.Status.PENDING
        if not ended.exclude(status=pending).update(status=pending, attempts=0, next_attempt_at=timezone.now()):
            raise StateChanged
        transaction.on_commit(partial(enqueue, [delivery.pk]), robust=True)


def enqueue(deliveries: Iterable[int]) -> None:
    """Have the ids of deliveries sent to the queue, by a thread: neither a request nor a run waits for the broker."""
    start_sender()
    for pk in deliveries:
        _unsent.put(pk)


@lru_cache(maxsize=1)
def start_sender() -> None:
    threading.Thread(target=send_for_ever, name="webhooks-sender", daemon=True).start()


def send_for_ever() -> None:
    while True:
        pk = _unsent.get()
        try:
            tasks.deliver.apply_async((pk,), queue=tasks.QUEUE)
        except BROKER_ERRORS as error:
            logger.warning("webhook deliveries wait for Redis: %s", error)
            while not _unsent.empty():  # the poller finds them all
                _unsent.get()
