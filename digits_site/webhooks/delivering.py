"""One attempt of a delivery: claim it, send it, record the outcome, and plan the next attempt."""

import logging
import random
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import close_old_connections, transaction
from django.db.models import F
from django.utils import timezone

from digits_site.webhooks.models import WebhookDelivery, WebhookEndpoint
from digits_site.webhooks.sending import Outcome, post
from digits_site.webhooks.signing import UnreadableSecret, sign
from digits_site.webhooks.slots import slot

# Between attempts, in units of WEBHOOK_RETRY_SECONDS; with 5 s: 5 s, 30 s, 2 min, 10 min, 1, 5, 10, 14, 20 and 24 h.
STEPS = (1, 6, 24, 120, 720, 3600, 7200, 10080, 14400, 17280)
JITTER = 0.2  # a step is longer by up to this share, so that retries spread
LEASE = 3  # times WEBHOOK_TIMEOUT_SECONDS: longer than an attempt, resolving the name included
GONE = 410
NEVER_ENDED = "The worker was lost during the last attempt."
logger = logging.getLogger(__name__)


def deliver(delivery_id: int) -> None:
    """Attempt a delivery.

    Return quietly if it is not due, if another worker was faster, or if its endpoint's slots are taken: the poller
    finds it again.
    """
    endpoint = WebhookDelivery.objects.filter(pk=delivery_id).values_list("endpoint", flat=True).first()
    if endpoint is None:
        return
    with slot(endpoint) as granted:
        if granted and (delivery := claim(delivery_id)):
            close_old_connections()  # the pool has fewer than there are threads
            try:
                outcome = attempt(delivery)
            except Exception:  # an attempt that is not recorded would be repeated for ever
                logger.exception("%s cannot be attempted", delivery)
                outcome = Outcome(0.0, error="The attempt failed in this service. Its log says why.")
            record(delivery, outcome)


def claim(delivery_id: int) -> WebhookDelivery | None:
    now = timezone.now()
    lease = now + timedelta(seconds=LEASE * settings.WEBHOOK_TIMEOUT_SECONDS)
    due = WebhookDelivery.objects.due(now).filter(pk=delivery_id)
    if ended := due.filter(attempts__gt=len(STEPS)).select_related("endpoint").first():
        logger.error("webhook %s has failed: %s", ended, NEVER_ENDED)
        record(ended, Outcome(0.0, error=NEVER_ENDED))
        return None
    if not due.update(attempts=F("attempts") + 1, next_attempt_at=lease, last_attempt_at=now):
        return None
    return WebhookDelivery.objects.select_related("endpoint").filter(pk=delivery_id).first()


def attempt(delivery: WebhookDelivery) -> Outcome:
    """Sign and send. The signature's time is that of the attempt."""
    body, timestamp = delivery.payload.encode(), int(timezone.now().timestamp())
    try:
        signature = sign(delivery.endpoint.signing_secrets(), delivery.message_id, timestamp, body)
    except UnreadableSecret as error:
        return Outcome(0.0, error=str(error))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Digits-Webhooks/1.0",
        "webhook-id": delivery.message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature,
    }
    return post(delivery.endpoint.url, body, headers)


def record(delivery: WebhookDelivery, outcome: Outcome) -> None:
    """Write what came of an attempt. A failure is written only if the delivery was not claimed again since."""
    now, is_last = timezone.now(), delivery.is_test or delivery.attempts > len(STEPS)
    values: dict[str, Any] = {
        "response_status": outcome.status,
        "response_body": outcome.body,
        "error": outcome.error,
        "seconds": outcome.seconds,
    }
    row = WebhookDelivery.objects.filter(pk=delivery.pk, status=WebhookDelivery.Status.PENDING)
    endpoint = WebhookEndpoint.objects.filter(pk=delivery.endpoint_id)
    with transaction.atomic():
        endpoint.select_for_update(no_key=True).first()  # before its delivery, as a deletion locks them
        if outcome.delivered:
            row.update(status=WebhookDelivery.Status.DELIVERED, next_attempt_at=None, **values)
            endpoint.update(last_success_at=now, failures=0)
            return
        if is_last:
            values |= {"status": WebhookDelivery.Status.FAILED, "next_attempt_at": None}
        else:
            values |= {"next_attempt_at": next_attempt(now, delivery.attempts)}
        if not row.filter(attempts=delivery.attempts).update(**values):
            return
        endpoint.update(failures=F("failures") + 1)
        if outcome.status == GONE:
            disable(delivery.endpoint, "It answered 410 Gone.")
        elif is_last and not delivery.is_test and not succeeded_since(delivery):
            reason = f"All {delivery.attempts} attempts of {delivery} failed."
            disable(delivery.endpoint, reason, f" The last: {outcome.error}")


def next_attempt(now: datetime, attempts: int) -> datetime:
    seconds = settings.WEBHOOK_RETRY_SECONDS * STEPS[attempts - 1]
    return now + timedelta(seconds=seconds * random.uniform(1, 1 + JITTER))


def succeeded_since(delivery: WebhookDelivery) -> bool:
    """Return whether the endpoint has accepted anything since the delivery's event."""
    successes = WebhookEndpoint.objects.filter(last_success_at__gte=delivery.created_at)
    return successes.filter(pk=delivery.endpoint_id).exists()


def disable(endpoint: WebhookEndpoint, reason: str, detail: str = "") -> None:
    """Disable an endpoint, and log that: without the path of its URL, which may hold a key, and without the detail.

    The detail may quote the receiver.
    """
    kept = f"{reason}{detail}"[: WebhookEndpoint._meta.get_field("disabled_reason").max_length]
    if WebhookEndpoint.objects.filter(pk=endpoint.pk, enabled=True).update(enabled=False, disabled_reason=kept):
        logger.error("webhook %s at %s is disabled: %s", endpoint, urlsplit(endpoint.url).hostname, reason)
